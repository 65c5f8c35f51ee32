"""The signing queue: why builds wait and when they are tried again, for administrators alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from access.models import User
from artifacts.api.documents import rfc3339
from provenance.models import AttestationRequest, RequestState
from tests.factories.facts import witnessed
from tests.factories.people import account, personal_token
from tests.factories.requests import requested

pytestmark = pytest.mark.django_db

PATH = "/api/v1/signing-queue"
NOW = timezone.now()
DOWN = {"code": "signer-unavailable", "service": "rekor", "reason": "not-reachable", "url": "x"}


def waiting(
    *, minutes: int, error: dict[str, str] | None = None, tried_in: int = 1
) -> AttestationRequest:
    """A request that has waited so long, and is tried in so many minutes."""
    request = requested(witnessed(), now=NOW - timedelta(minutes=minutes))
    request.last_error, request.attempts = error, 3 if error else 0
    request.next_attempt_at = NOW + timedelta(minutes=tried_in)
    request.save()
    return request


def queue(client: Client) -> dict[str, Any]:
    token = personal_token(User.objects.create_superuser("root"))
    answer = client.get(PATH, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.content
    document: dict[str, Any] = answer.json()
    return document


def test_shows_why_builds_wait_and_when_they_are_tried_again(client: Client) -> None:
    late = waiting(minutes=2, error=DOWN, tried_in=5)
    early = waiting(minutes=9, error=DOWN, tried_in=3)
    fresh = waiting(minutes=1)
    done = waiting(minutes=60, error=DOWN)
    AttestationRequest.objects.filter(pk=done.pk).update(state=RequestState.ATTESTED)

    shown = queue(client)

    assert shown["waiting"] == 3
    assert shown["reasons"] == [
        {
            "last_error": "signer-unavailable",
            "service": "rekor",
            "reason": "not-reachable",
            "count": 2,
            "next_attempt_at": rfc3339(early.next_attempt_at),
        },
        {
            "last_error": None,
            "service": None,
            "reason": None,
            "count": 1,
            "next_attempt_at": rfc3339(fresh.next_attempt_at),
        },
    ]
    assert [one["build"].rpartition("/")[2] for one in shown["oldest"]] == [
        str(request.build_id) for request in (early, late, fresh)
    ]
    assert shown["oldest"][0]["attempts"] == 3
    assert shown["oldest"][0]["reason"] == "not-reachable"
    assert "url" not in shown["oldest"][0]


def test_is_empty_when_nothing_waits(client: Client) -> None:
    assert queue(client) == {"waiting": 0, "reasons": [], "oldest": []}


def test_is_shown_to_nobody_else(client: Client) -> None:
    token = personal_token(account("somebody"))

    answer = client.get(PATH, headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 403
    assert answer.json()["code"] == "permission-missing"
    assert client.get(PATH).status_code == 401
