"""An API that fails, or asks to be left alone, confirms nothing, and nothing hangs on it."""

import time
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final

import pytest

from provenance.domain.build_facts import Witnessed
from provenance.errors import PlatformUnavailable
from tests.factories.ci_issuer import respond
from tests.factories.facts import witnessed, witnessed_on_gitlab
from tests.factories.platform_answers import ask, confirmed, unavailable
from tests.factories.platform_doubles import PATIENT, SEALED_AT, PlatformDouble, knows

GITHUB: Final = witnessed()
GITLAB: Final = witnessed_on_gitlab()
BOTH: Final = pytest.mark.parametrize("facts", [GITHUB, GITLAB], ids=["github", "gitlab"])


def slowly(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


FAILURES: Final[list[tuple[Callable[[BaseHTTPRequestHandler], object], str]]] = [
    (lambda one: respond(one, b"{}", 401), "does not accept the credential"),
    (lambda one: respond(one, b"{}", 403), "does not allow to ask"),
    (lambda one: respond(one, b"{}", 500), "status 500"),
    (lambda one: respond(one, b"", 301, Location="/elsewhere"), "status 301"),
    (lambda one: respond(one, b"", 302, Location="http://169.254.169.254/"), "status 302"),
    (lambda one: respond(one, b"<html>"), "is not JSON"),
    (lambda one: respond(one, b"[" * 40_000), "is not JSON"),
    (lambda one: respond(one, b"[]"), "no JSON object"),
    (lambda one: respond(one, b"{}"), "no usable status"),
    (lambda one: respond(one, b'{"a": "' + b"x" * 60_000 + b'"}'), "too large"),
    (lambda one: one.wfile.write(b"nonsense\r\n\r\n"), "ProtocolError"),
]


@BOTH
@pytest.mark.parametrize(("answer", "reason"), FAILURES)
def test_calls_everything_else_unavailable(
    platform: PlatformDouble,
    facts: Witnessed,
    answer: Callable[[BaseHTTPRequestHandler], object],
    reason: str,
) -> None:
    knows(platform, facts)
    platforms = platform.platforms()

    platform.answers[""] = answer
    assert reason in unavailable(ask(platforms, facts))
    assert set(platform.asked) <= set(platform.documents), "no redirect is followed"
    platform.recovers()
    confirmed(ask(platforms, facts))


@BOTH
def test_calls_a_platform_unavailable_that_drips(
    platform: PlatformDouble, facts: Witnessed
) -> None:
    platform.answers[""] = slowly
    platforms = platform.platforms(limits=replace(PATIENT, total_seconds=1))

    assert unavailable(ask(platforms, facts)) == "too slow"


def test_calls_a_platform_unavailable_that_does_not_listen(platform: PlatformDouble) -> None:
    platform.answers[""] = lambda _handler: platform.is_over.wait(60)
    platforms = platform.platforms(limits=replace(PATIENT, read_seconds=0.5))

    assert unavailable(ask(platforms, GITHUB)) == "ReadTimeoutError"


@pytest.mark.parametrize(
    ("facts", "changes", "missing"),
    [
        (GITHUB, {"status": "paused"}, "status"),
        (GITHUB, {"id": "31337"}, "job_id"),
        (GITHUB, {"id": True}, "job_id"),
        (GITHUB, {"head_sha": "\ud800"}, "commit"),
        (GITHUB, {"head_sha": "a\u0000"}, "commit"),
        (GITHUB, {"run__repository": None}, "repository_id"),
        (GITHUB, {"run__id": 5}, "run"),
        (GITLAB, {"pipeline": []}, "repository_id"),
        (GITLAB, {"commit": None}, "commit"),
        (GITLAB, {"status": None}, "status"),
    ],
)
def test_reads_no_fact_out_of_what_has_another_form(
    platform: PlatformDouble, facts: Witnessed, changes: dict[str, Any], missing: str
) -> None:
    knows(platform, facts, **changes)

    reason = unavailable(ask(platform.platforms(), facts))

    assert reason == f"the API's answer has no usable {missing}"


@pytest.mark.parametrize("ended", ["yesterday", "2026-11-21T08:00:00", "9999-12-31T23:59:59Z", 7])
def test_reads_no_time_out_of_what_is_none(platform: PlatformDouble, ended: object) -> None:
    knows(platform, GITHUB, status="completed", completed_at=ended)

    assert "when the job ended" in unavailable(ask(platform.platforms(), GITHUB))


LIMITS: Final = [
    (403, {"Retry_After": "90"}, 90),
    (429, {"Retry_After": "90"}, 90),
    (429, {"Retry_After": "999999"}, 3600),
    (429, {"Retry_After": "soon"}, None),
    (
        403,
        {
            "X_RateLimit_Remaining": "0",
            "X_RateLimit_Reset": str(int(SEALED_AT.timestamp()) + 120),
        },
        120,
    ),
    (
        429,
        {"RateLimit_Remaining": "0", "RateLimit_Reset": str(int(SEALED_AT.timestamp()) + 60)},
        60,
    ),
]


@pytest.mark.parametrize(("status", "headers", "pause"), LIMITS)
def test_leaves_a_platform_alone_for_as_long_as_it_asks(
    platform: PlatformDouble, status: int, headers: dict[str, str], pause: int | None
) -> None:
    knows(platform, GITHUB)
    platforms = platform.platforms()
    platform.fails(status, **headers)

    refused = ask(platforms, GITHUB)

    assert isinstance(refused, PlatformUnavailable)
    assert refused.facts.get("retry_after_seconds") == pause
    platform.recovers()
    if pause is not None:
        assert unavailable(ask(platforms, GITHUB, seconds=pause - 1)) == "the API asked to wait"
        assert len(platform.asked) == 1
    confirmed(ask(platforms, GITHUB, seconds=pause or 0))


def test_shows_its_credential_to_the_api_alone_and_reads_it_anew(
    platform: PlatformDouble, tmp_path: Path
) -> None:
    knows(platform, GITLAB)
    file = tmp_path / "token"
    file.write_text("first-secret\n")
    platforms = platform.platforms(token_file=file)

    confirmed(ask(platforms, GITLAB))
    file.write_text("second-secret")
    confirmed(ask(platforms, GITLAB))

    assert platform.authorizations == ["Bearer first-secret", "Bearer second-secret"]


@pytest.mark.parametrize("content", [None, b"", b"two lines\nof it", b"caf\xc3\xa9", b"x" * 5000])
def test_asks_nobody_without_the_credential_that_it_should_have(
    platform: PlatformDouble, tmp_path: Path, content: bytes | None
) -> None:
    knows(platform, GITLAB)
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)

    refused = ask(platform.platforms(token_file=file), GITLAB)

    assert "credential's file" in unavailable(refused)
    assert "two lines" not in str(refused)
    assert platform.asked == []


def test_asks_no_private_address_and_not_itself(platform: PlatformDouble) -> None:
    knows(platform, GITHUB)
    platforms = platform.platforms()
    api = platforms._apis["github"]  # noqa: SLF001 - the address that a store in production has
    api.address = replace(api.address, is_development=False)

    assert unavailable(ask(platforms, GITHUB)) == "its host has a private address"
    assert platform.asked == []
