"""The signing queue in the console …"""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from access.queries import organization_place
from kernel.audit.models import AuditRecord
from provenance.models import AttestationRequest
from tests.factories.facts import witnessed
from tests.factories.people import administrator_at_a_browser, owner_at_a_browser
from tests.factories.requests import requested
from tests.factories.shelves import make_project
from tests.integration.console.test_pages import text

pytestmark = pytest.mark.django_db
PAGE = "/administration/store/signing"
NOW = timezone.now()
DOWN = {"code": "signer-unavailable", "service": "rekor", "reason": "not-reachable"}


@pytest.fixture
def ada() -> Client:
    return administrator_at_a_browser()


def waiting(*, error: dict[str, str] | None) -> AttestationRequest:
    request = requested(witnessed(), now=NOW - timedelta(hours=1))
    request.last_error, request.attempts = error, 3 if error else 0
    request.next_attempt_at = NOW + timedelta(hours=1)
    request.save()
    return request


def test_says_that_nothing_waits(ada: Client) -> None:
    assert "Nothing waits" in text(PAGE, ada)


def test_shows_reasons_and_tries_all_of_one_again(ada: Client) -> None:
    unreachable = [waiting(error=DOWN) for _ in range(3)]
    other = waiting(error={**DOWN, "service": "fulcio"})

    found = text(PAGE, ada)
    answer = ada.post(PAGE, {"reason": "signer-unavailable|rekor|not-reachable"})

    assert "Why 4 statements wait" in found
    assert "rekor: not-reachable" in found
    assert "3 of 3 will be tried within seconds" in text(answer["Location"], ada)
    for one in unreachable:
        one.refresh_from_db()
        assert one.next_attempt_at <= timezone.now()
    other.refresh_from_db()
    assert other.next_attempt_at > timezone.now()
    assert AuditRecord.objects.filter(action="attestation.retry", actor="user:ada").count() == 3


def test_tries_one_again(ada: Client) -> None:
    one = waiting(error=DOWN)

    answer = ada.post(PAGE, {"request": str(one.pk)})

    assert "1 of 1 will be tried" in text(answer["Location"], ada)
    assert "0 of 1 will be tried" in text(ada.post(PAGE, {"request": str(one.pk)})["Location"], ada)
    assert ada.post(PAGE, {"request": "x"}).status_code == 400
    assert ada.post(PAGE, {"reason": "unknown||"}).status_code == 302


def test_is_the_store_administrators_alone(ada: Client) -> None:
    project = make_project()
    olga = owner_at_a_browser(organization_place(project.organization))

    text(PAGE, olga, status=403)
    text("/administration/organizations/acme/signing", olga, status=404)
    assert olga.post(PAGE, {"reason": "x"}).status_code == 403
    assert "/administration/store/signing" in ada.get("/administration").content.decode()
