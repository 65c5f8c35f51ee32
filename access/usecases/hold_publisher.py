"""Hold issuer and publisher while a token is given: a step of the exchange, in its transaction.

Identifying the job took a while and locked nothing. What was removed, switched off or recorded by
another exchange in the meantime counts here.
"""

from datetime import datetime, timedelta
from typing import Final

from access.domain.publishers import first_difference
from access.errors import IssuerDisabled
from access.models import Issuer, TrustedPublisher
from access.queries import wait_for_publishers
from access.usecases.identify_job import IdentifiedJob
from access.usecases.match_publisher import not_matching
from kernel.actor import Actor
from kernel.audit.record import record
from kernel.connections import joins_transaction
from provenance.domain.policy import Source
from provenance.queries import current_policy
from provenance.usecases.set_policy import set_policy

LAST_USE_RESOLUTION: Final = timedelta(minutes=1)

# FOR SHARE: exchanges of one issuer do not wait for each other; who switches it off waits for
# them, and ends their tokens. Django's ORM cannot say FOR SHARE.
_HELD: Final = "SELECT * FROM issuer WHERE id = %s FOR SHARE"


def hold_publisher(*, job: IdentifiedJob, actor: Actor, now: datetime) -> TrustedPublisher:
    """Give the publisher's row, locked, with the ids of its repository recorded. Joins.

    The first exchange of a pending publisher records them, for all publishers of the project that
    wait for this name; of two at once with different ids, one wins and the other is refused.

    Raises:
        IssuerDisabled: the issuer has been switched off.
        NoMatchingPublisher, PublisherMismatch: the publisher is gone, or another one's by now.
    """
    joins_transaction("hold_publisher")
    issuer = Issuer.objects.raw(_HELD, [job.issuer.pk])[0]
    if issuer.disabled_at is not None:
        raise IssuerDisabled(issuer=issuer.url, disabled_at=issuer.disabled_at)
    if job.publisher.identity.is_pending:
        # Before the row: the order in which those who add and remove publishers take the two.
        wait_for_publishers(job.publisher.project)
    locked = TrustedPublisher.objects.select_for_update(no_key=True, of=("self",))
    held = locked.select_related("issuer").filter(pk=job.publisher.pk).order_by("pk").first()
    if held is None:
        raise not_matching(facts=job.facts, differences=())
    difference = first_difference(held.identity, job.facts)
    if difference is not None:
        raise not_matching(facts=job.facts, differences=[difference])
    if held.identity.is_pending:
        _record_ids(held, job, actor, now=now)
    _note_use(held, now=now)
    return held


def _record_ids(held: TrustedPublisher, job: IdentifiedJob, actor: Actor, *, now: datetime) -> None:
    facts, project = job.facts, job.publisher.project
    waiting = TrustedPublisher.objects.filter(
        project_id=held.project_id,
        issuer_id=held.issuer_id,
        repository_id="",
        repository__iexact=held.repository,
        pending_until__gt=now,
    )
    pinned = sorted(str(pk) for pk in waiting.values_list("pk", flat=True))
    waiting.update(
        repository_id=facts.repository_id,
        owner_id=facts.owner_id,
        pending_until=None,
        pinned_at=now,
    )
    record(
        actor,
        "publisher.pin",
        str(held.project_id),
        now=now,
        organization=project.organization_id,
        publishers=pinned,
        issuer=facts.issuer,
        repository=facts.repository,
        repository_id=facts.repository_id,
        owner_id=facts.owner_id,
        token_id_sha256=facts.token_id_sha256,
    )
    policy = current_policy(scope=project.scope)
    source = Source(facts.issuer, facts.repository_id, facts.owner_id)
    set_policy(
        scope=project.scope,
        sources=[*policy.sources, source],
        # Decided when the publisher was added, or since by whoever may.
        accepts_release=policy.accepts_release,
        actor=actor,
        now=now,
    )


def _note_use(held: TrustedPublisher, *, now: datetime) -> None:
    if held.last_used_at is None or held.last_used_at <= now - LAST_USE_RESOLUTION:
        TrustedPublisher.objects.filter(pk=held.pk).update(last_used_at=now)
