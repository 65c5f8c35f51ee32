"""Trying again what waits …"""

import uuid
from datetime import datetime, timedelta
from typing import Final

import pytest
from django.utils import timezone

from kernel.actor import ANONYMOUS, Actor, Grant, Permission, PermissionMissing, Unauthenticated
from kernel.audit.models import AuditRecord
from kernel.outbox.models import OutboxEvent
from provenance.models import AttestationRequest, RequestState
from provenance.usecases.retry_attestations import retry_attestations
from tests.factories.actors import administrator

pytestmark = pytest.mark.django_db(transaction=True)
NOW: Final = timezone.now()
LATER: Final = NOW + timedelta(minutes=40)
ERROR: Final = {"code": "signer-unavailable", "service": "fulcio"}


def waiting(
    state: RequestState = RequestState.PENDING, next_attempt_at: datetime = LATER
) -> AttestationRequest:
    """A request that has been tried six times."""
    return AttestationRequest.objects.create(
        organization_id=uuid.uuid4(),
        project_id=uuid.uuid4(),
        build_id=uuid.uuid4(),
        subjects=[["a", "0" * 64]],
        opened_at=NOW,
        sealed_at=NOW,
        requested_at=NOW,
        next_attempt_at=next_attempt_at,
        state=state,
        attempts=6,
        last_error=ERROR,
    )


def administering(request: AttestationRequest) -> Actor:
    grant = Grant(Permission.ADMINISTER, request.project_id)
    return Actor("user:maintainer", frozenset({grant}))


def test_makes_it_due_and_says_who_asked() -> None:
    request = waiting()

    tried = retry_attestations(requests=[request.pk], actor=administering(request), now=NOW)

    assert tried == 1
    after = AttestationRequest.objects.get(pk=request.pk)
    assert (after.next_attempt_at, after.attempts, after.last_error) == (NOW, 6, ERROR)
    event = OutboxEvent.objects.get()
    assert (event.name, event.payload) == (
        "attestation.requested",
        {"request_id": str(request.pk)},
    )
    told = AuditRecord.objects.get()
    assert (told.actor, told.action, told.target) == (
        "user:maintainer",
        "attestation.retry",
        str(request.build_id),
    )
    assert told.facts["before"] == {"next_attempt_at": LATER.isoformat()}
    assert told.facts["last_error"] == ERROR


def test_changes_nothing_when_it_is_repeated() -> None:
    request = waiting()
    retry_attestations(requests=[request.pk], actor=administrator(), now=NOW)

    assert retry_attestations(requests=[request.pk], actor=administrator(), now=NOW) == 0
    assert (OutboxEvent.objects.count(), AuditRecord.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    "state", [RequestState.ATTESTED, RequestState.REFUSED, RequestState.GIVEN_UP]
)
def test_leaves_alone_what_has_ended(state: RequestState) -> None:
    request = waiting(state)

    assert retry_attestations(requests=[request.pk], actor=administrator(), now=NOW) == 0
    after = AttestationRequest.objects.get(pk=request.pk)
    assert (after.state, after.next_attempt_at) == (state, LATER)
    assert not OutboxEvent.objects.exists()


def test_takes_many_and_counts_those_that_were_waiting() -> None:
    waiting_ones = [waiting() for _ in range(3)]
    due = waiting(next_attempt_at=NOW - timedelta(seconds=1))
    keys = [one.pk for one in (*waiting_ones, due, waiting(RequestState.ATTESTED))]

    assert retry_attestations(requests=[*keys, uuid.uuid4()], actor=administrator(), now=NOW) == 3
    assert retry_attestations(requests=[], actor=administrator(), now=NOW) == 0


def test_is_refused_as_a_whole_to_who_administers_only_some() -> None:
    own, foreign = waiting(), waiting()

    for actor, refusal in ((administering(own), PermissionMissing), (ANONYMOUS, Unauthenticated)):
        with pytest.raises(refusal):
            retry_attestations(requests=[own.pk, foreign.pk], actor=actor, now=NOW)

    untouched = AttestationRequest.objects.filter(next_attempt_at=LATER)
    assert untouched.count() == 2
    assert not AuditRecord.objects.exists()
