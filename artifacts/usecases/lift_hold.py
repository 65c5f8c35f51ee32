"""Lift a legal hold: one person asks, and it stands until enough others have said so too."""

from datetime import datetime

from django.db import transaction

from artifacts.domain.holds import HoldNeedsAnother, HoldNotActive, HoldState, consenting, is_enough
from artifacts.domain.reasons import require_reason
from artifacts.events import HoldsChanged
from artifacts.models import Hold, HoldConsent, HoldLifting
from artifacts.queries.locking import holds_change
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from kernel.outbox.emit import emit


def lift_hold(*, hold: Hold, persons: int, reason: str, actor: Actor, now: datetime) -> Hold:
    """Say that the hold should be lifted; it is when `persons` different people have, in a week.

    Who placed it counts as anybody else. What it covered goes by its rules from then on.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not own the project.
        PersonNeeded: no person asks, but a service or a narrower token.
        ReasonMissing: there is none.
        HoldNotActive: it was lifted already, or has ended.
        HoldNeedsAnother: this person has said so; somebody else has to.
    """
    actor.require(Permission.OWN, project=hold.project_id)
    person = actor.require_whole_person()
    require_reason(reason)
    with transaction.atomic(durable=True):
        holds_change()
        current = Hold.objects.select_related("project", "lifting").get(pk=hold.pk)
        state = current.standing.state(now=now)
        if state is not HoldState.ACTIVE:
            raise HoldNotActive(hold=hold.pk, state=state)
        consents = [one.consent for one in current.consents.all()]
        if person in consenting(consents, now=now):
            raise HoldNeedsAnother(hold=hold.pk, persons=persons)
        said = HoldConsent.objects.create(
            hold=current, person=person, given_by=actor.name, reason=reason, given_at=now
        )
        is_lifted = is_enough([*consents, said.consent], persons=persons, now=now)
        if is_lifted:
            HoldLifting.objects.create(hold=current, lifted_at=now)
            emit(HoldsChanged(hold_id=hold.pk), now=now)
        record(
            actor,
            "hold.lift" if is_lifted else "hold.ask-lift",
            str(hold.project),
            now=now,
            organization=hold.project.organization_id,
            hold=str(hold.pk),
            reason=reason,
            persons=persons,
        )
    return Hold.objects.select_related("project__organization", "lifting").get(pk=hold.pk)
