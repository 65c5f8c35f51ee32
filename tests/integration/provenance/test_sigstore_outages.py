"""The day Sigstore is down: no row, the reason on the request, and its next attempt scheduled."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from django.utils import timezone

from provenance.models import Attestation, AttestationRequest, RequestState
from tests.factories.facts import witnessed
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.doubles import Forward, Lie, double, dripping, mute, nobody
from tests.factories.private_sigstore.instance import SERVICES
from tests.factories.private_sigstore.serving import Answer, Request
from tests.factories.private_sigstore.store import IMPATIENT, Store
from tests.factories.requests import requested

pytestmark = pytest.mark.django_db

LATER: Final = timedelta(hours=2)  # every backoff is over
MEBIBYTE: Final = 1024 * 1024


@pytest.fixture
def store(sigstore: Sigstore, tmp_path: Path) -> Store:
    return Store.create(sigstore, tmp_path)


def answering(answer: Answer) -> Callable[[], AbstractContextManager[str]]:
    lie: Lie = lambda _request, _forward: answer  # noqa: E731 - a table of one-liners
    return lambda: double("http://127.0.0.1:9", lie)


OUTAGES: Final[dict[str, tuple[Callable[[], AbstractContextManager[str]], str]]] = {
    "refused": (nobody, "not-reachable"),
    "mute": (mute, "no-answer-in-time"),
    "dripping": (dripping, "batch-too-slow"),
    "500": (answering(Answer(b"oops", 500)), "service-failed"),
    "redirect": (answering(Answer(b"", 302, {"Location": "/elsewhere"})), "service-failed"),
    "html": (answering(Answer(b"<html>Welcome to our network</html>")), "unreadable-answer"),
    "empty": (answering(Answer(b"")), "unreadable-answer"),
    "null": (answering(Answer(b"null")), "unreadable-answer"),
    "empty-object": (answering(Answer(b"{}")), "unreadable-answer"),
    "nested": (answering(Answer(b"[" * 100_000)), "unreadable-answer"),
    "endless": (answering(Answer(b"x" * (MEBIBYTE + 1))), "answer-too-large"),
}


def waiting(request: AttestationRequest) -> dict[str, object]:
    """The reason why the request waits: nothing was recorded, and it will be tried again."""
    request.refresh_from_db()
    assert not Attestation.objects.exists()
    assert request.state == RequestState.PENDING
    assert request.lease is None
    assert request.next_attempt_at > timezone.now()
    assert request.last_error is not None
    error: dict[str, object] = request.last_error
    return error


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("outage", OUTAGES)
def test_keeps_the_build_waiting_and_says_why(store: Store, service: str, outage: str) -> None:
    request = requested(witnessed())
    broken, reason = OUTAGES[outage]

    with broken() as address:
        store.attest(store.signer({service: address}, limits=IMPATIENT))

    error = waiting(request)
    assert (error["code"], error["reason"]) == ("signer-unavailable", reason)
    assert error["service"] == service
    assert not store.published


def test_attests_every_waiting_build_once_when_the_outage_is_over(store: Store) -> None:
    requests = [requested(witnessed(run_id=str(number))) for number in range(5)]
    is_down, seconds = True, 0.0
    real = store.attestor.instance.rekor

    def sometimes(asked: Request, forward: Forward) -> Answer:
        return Answer(b"", 503) if is_down else forward(asked)

    with double(real, sometimes) as log:
        signer = store.signer({"rekor": log}, monotonic=lambda: seconds)
        store.attest(signer)
        assert not Attestation.objects.exists()
        is_down, seconds = False, LATER.total_seconds()
        store.attest(signer, after=LATER)

    assert sorted(store.published) == sorted(request.build for request in requests)
    assert Attestation.objects.count() == len(requests)


def test_waits_as_long_as_the_service_asks_for(store: Store) -> None:
    request = requested(witnessed())
    busy = Answer(b"", 503, {"Retry-After": "900"})

    with double("http://127.0.0.1:9", lambda _asked, _forward: busy) as address:
        store.attest(store.signer({"rekor": address}))

    assert waiting(request)["retry_after_seconds"] == "900"
    assert request.next_attempt_at > timezone.now() + timedelta(seconds=890)


def test_leaves_a_service_alone_that_has_failed_three_times(store: Store) -> None:
    asked: list[str] = []

    def failing(request: Request, _forward: Forward) -> Answer:
        asked.append(request.path)
        return Answer(b"", 500)

    with double("http://127.0.0.1:9", failing) as address:
        signer = store.signer({"fulcio": address})
        for _ in range(3):
            requested(witnessed())
            store.attest(signer, after=LATER)
        times = len(asked)
        last = requested(witnessed())
        store.attest(signer, after=LATER)

    assert waiting(last)["reason"] == "service-left-alone"
    assert len(asked) == times


def test_signs_the_others_when_one_request_fails(store: Store) -> None:
    unlucky, lucky = requested(witnessed()), requested(witnessed(run_id="2"))
    seen: list[str] = []

    def once(request: Request, forward: Forward) -> Answer:
        seen.append(request.path)
        return Answer(b"", 500) if len(seen) == 1 else forward(request)

    with double(store.attestor.instance.tsa, once) as address:
        store.attest(store.signer({"tsa": address}))

    states = {request.state for request in AttestationRequest.objects.all()}
    assert states == {RequestState.PENDING, RequestState.ATTESTED}
    assert len(store.published) == 1
    assert store.published[0] in (unlucky.build_id, lucky.build_id)


@pytest.mark.parametrize("file", ["trusted_root", "signing_config"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"[", b"\xff"])
def test_says_what_is_wrong_with_its_files(
    store: Store, tmp_path: Path, file: str, content: bytes | None
) -> None:
    request = requested(witnessed())
    broken = tmp_path / "broken.json"
    if content is not None:
        broken.write_bytes(content)
    signer = store.attestor.signer(files=store.files(**{file: broken}))

    store.attest(signer)

    error = waiting(request)
    assert error["reason"] in ("unreadable-file", f"unusable-{file.replace('_', '-')}")
    assert error["file"] == str(broken)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://rekor.example.com", "service-not-https"),
        ("ftp://rekor.example.com", "service-not-https"),
        ("https://rekor.sigstore.dev", "public-instance"),
        ("https://log2025-1.rekor.sigstore.dev", "public-instance"),
    ],
)
def test_uses_no_service_in_the_clear_or_in_public(store: Store, address: str, reason: str) -> None:
    request = requested(witnessed())

    store.attest(store.signer({"rekor": address}))

    assert waiting(request)["reason"] == reason
