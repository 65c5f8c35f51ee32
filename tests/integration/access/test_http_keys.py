"""Keys are fetched from real servers: good ones, broken ones, and hostile ones."""

import threading
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from access.adapters.http_keys import HttpKeySource
from access.domain.identity_token import PublicKey
from access.domain.issuers import IssuerAddress
from access.errors import IssuerUnavailable, UnknownKey
from kernel.pinned_http import Limits
from tests.factories.ci_issuer import (
    DISCOVERY,
    JWKS,
    CiIssuer,
    respond,
    running_issuer,
)
from tests.factories.identity_tokens import ec_key, jwk, rsa_key

# Only what hangs reaches these.
PATIENT = Limits(connect_seconds=60, read_seconds=60, total_seconds=60, size_bytes=50_000)


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def key_of(ci: CiIssuer, source: HttpKeySource | None = None, key_id: str = "key-1") -> PublicKey:
    source = source or HttpKeySource(PATIENT)
    return source.key(ci.address, key_id=key_id, algorithm="RS256")


def reason(ci: CiIssuer, limits: Limits = PATIENT) -> object:
    with pytest.raises(IssuerUnavailable) as refused:
        key_of(ci, HttpKeySource(limits))
    assert refused.value.facts["issuer"] == ci.url
    return refused.value.facts["reason"]


def test_finds_the_keys_that_the_issuer_publishes(ci: CiIssuer) -> None:
    ci.keys["key-2"] = ec_key()
    source = HttpKeySource(PATIENT)

    found = source.key(ci.address, key_id="key-2", algorithm="ES256")

    assert found == PublicKey("key-2", "ES256", ec_key().public_key())
    assert key_of(ci, source).public == rsa_key().public_key()


def test_binds_a_key_to_the_one_algorithm_that_it_is_for(ci: CiIssuer) -> None:
    with pytest.raises(UnknownKey):
        HttpKeySource(PATIENT).key(ci.address, key_id="key-1", algorithm="ES256")


def test_asks_once_while_the_answer_is_fresh(ci: CiIssuer) -> None:
    clock = Clock()
    source = HttpKeySource(PATIENT, clock)
    key_of(ci, source)
    clock.now += PATIENT.fresh_seconds - 1

    key_of(ci, source)

    assert ci.asked == [DISCOVERY, JWKS]


def test_asks_again_when_the_answer_is_old(ci: CiIssuer) -> None:
    clock = Clock()
    source = HttpKeySource(PATIENT, clock)
    key_of(ci, source)
    clock.now += PATIENT.fresh_seconds
    ci.keys = {"key-2": rsa_key("rotated")}

    with pytest.raises(UnknownKey):
        key_of(ci, source)

    assert key_of(ci, source, "key-2").public == rsa_key("rotated").public_key()
    assert len(ci.asked) == 4


def test_asks_for_an_unknown_key_at_most_once_in_thirty_seconds(ci: CiIssuer) -> None:
    clock = Clock()
    source = HttpKeySource(PATIENT, clock)
    key_of(ci, source)
    ci.keys["key-2"] = rsa_key("rotated")
    clock.now += 29

    for invented in ("key-2", "a", "b"):
        with pytest.raises(UnknownKey):
            key_of(ci, source, invented)
    assert len(ci.asked) == 2
    clock.now += 1

    assert key_of(ci, source, "key-2").key_id == "key-2"
    assert len(ci.asked) == 4


def test_fetches_once_for_many_threads(ci: CiIssuer) -> None:
    source = HttpKeySource(Limits())
    found: list[PublicKey] = []
    threads = [threading.Thread(target=lambda: found.append(key_of(ci, source))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert ci.asked == [DISCOVERY, JWKS]


def test_never_gives_the_key_of_another_issuer(ci: CiIssuer) -> None:
    with running_issuer() as other:
        other.keys = {"theirs": rsa_key("other")}
        source = HttpKeySource(PATIENT)
        assert key_of(other, source, "theirs").key_id == "theirs"

        with pytest.raises(UnknownKey):
            key_of(ci, source, "theirs")


def test_leaves_a_failing_issuer_alone_for_a_moment_and_heals(ci: CiIssuer) -> None:
    clock = Clock()
    source = HttpKeySource(PATIENT, clock)
    ci.answers[JWKS] = lambda handler: respond(handler, b"{}", status=503)
    for _ in range(3):
        with pytest.raises(IssuerUnavailable):
            key_of(ci, source)
    assert len(ci.asked) == 2
    del ci.answers[JWKS]
    clock.now += PATIENT.failed_seconds

    assert key_of(ci, source).key_id == "key-1"


def test_goes_on_with_fresh_keys_while_the_issuer_is_down(ci: CiIssuer) -> None:
    source = HttpKeySource(PATIENT)
    key_of(ci, source)
    ci.answers[DISCOVERY] = lambda handler: respond(handler, b"{}", status=500)

    assert key_of(ci, source).key_id == "key-1"


@pytest.mark.parametrize("address", [DISCOVERY, JWKS])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_follows_no_redirect(ci: CiIssuer, address: str, status: int) -> None:
    ci.answers[address] = lambda handler: respond(
        handler, b"{}", status=status, Location=f"{ci.url}/elsewhere"
    )

    assert reason(ci) == f"the answer has status {status}"
    assert "/elsewhere" not in ci.asked


def huge_with_length(handler: BaseHTTPRequestHandler) -> None:
    respond(handler, b'{"x":"' + b"x" * 60_000 + b'"}')


def huge_without_length(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"x" * 10_000)


def huge_when_decompressed(handler: BaseHTTPRequestHandler) -> None:
    respond(handler, b"\x1f\x8b\x08\x00", Content_Encoding="gzip")


@pytest.mark.parametrize("address", [DISCOVERY, JWKS])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (huge_with_length, "too large"),
        (huge_without_length, "too large"),
        (huge_when_decompressed, "the answer is not JSON"),
    ],
)
def test_stops_reading_a_huge_answer(
    ci: CiIssuer, address: str, answer: Callable[[Any], None], expected: str
) -> None:
    ci.answers[address] = answer

    assert reason(ci) == expected


@pytest.mark.parametrize("address", [DISCOVERY, JWKS])
def test_waits_only_so_long_for_a_silent_issuer(ci: CiIssuer, address: str) -> None:
    ci.answers[address] = lambda _handler: ci.is_over.wait(60)

    assert reason(ci, replace(PATIENT, read_seconds=0.3)) == "ReadTimeoutError"


def test_waits_only_so_long_for_an_issuer_that_drips(ci: CiIssuer) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not ci.is_over.wait(0.05):
            handler.wfile.write(b" ")

    ci.answers[JWKS] = drip

    assert reason(ci, replace(PATIENT, total_seconds=0.6)) == "too slow"


def test_does_not_let_others_wait_for_a_hanging_issuer(ci: CiIssuer) -> None:
    is_asked = threading.Event()

    def hang(_handler: BaseHTTPRequestHandler) -> None:
        is_asked.set()
        ci.is_over.wait(60)

    ci.answers[DISCOVERY] = hang
    source = HttpKeySource(replace(PATIENT, total_seconds=0.2))

    def ignore_refusal() -> None:
        with pytest.raises(IssuerUnavailable):
            key_of(ci, source)

    first = threading.Thread(target=ignore_refusal)
    first.start()
    assert is_asked.wait(60)
    with pytest.raises(IssuerUnavailable) as refused:
        key_of(ci, source)
    ci.is_over.set()
    first.join()

    assert refused.value.facts["reason"] == "its keys are being fetched"


def test_refuses_a_discovery_document_of_another_issuer(ci: CiIssuer) -> None:
    for other in ("https://evil.example", ci.url + "/", ci.url.upper(), None):
        ci.say(DISCOVERY, ci.discovery(issuer=other))

        assert reason(ci) == "its discovery document names another issuer"


@pytest.mark.parametrize(
    "where",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:1/keys",
        "http://localhost/keys",
        "https://127.0.0.1/keys",
        "file:///etc/passwd",
        "http://{own}@evil.example/keys",
        "http://{own}.evil.example/keys",
        "http://user@{own}/keys",
        "//{own}/keys",
        "http://[",
        "",
        None,
        5,
    ],
)
def test_fetches_keys_from_the_issuers_own_host_alone(ci: CiIssuer, where: Any) -> None:
    own = ci.url.removeprefix("http://")
    address = where.format(own=own) if isinstance(where, str) else where
    ci.say(DISCOVERY, ci.discovery(jwks_uri=address))

    assert reason(ci) == "its keys are on another host"
    assert ci.asked == [DISCOVERY]


@pytest.mark.parametrize(
    ("address", "document", "expected"),
    [
        (DISCOVERY, [], "its discovery document names another issuer"),
        (DISCOVERY, "x", "its discovery document names another issuer"),
        (JWKS, [], "its key set cannot be read"),
        (JWKS, {}, "its key set cannot be read"),
        (JWKS, {"keys": {}}, "its key set cannot be read"),
        (JWKS, {"keys": [{}] * 101}, "its key set cannot be read"),
    ],
)
def test_refuses_documents_of_another_shape(
    ci: CiIssuer, address: str, document: object, expected: str
) -> None:
    ci.say(address, document)

    assert reason(ci) == expected


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 40_000, b"\xff", b'"' + b"1" * 9000])
def test_refuses_what_is_no_json(ci: CiIssuer, body: bytes) -> None:
    ci.answers[DISCOVERY] = lambda handler: respond(handler, body)

    assert reason(ci) == "the answer is not JSON"


def test_refuses_an_issuer_where_nobody_listens() -> None:
    with running_issuer() as gone:
        pass

    assert reason(gone) == "NewConnectionError"


@pytest.mark.parametrize(
    "address",
    [
        IssuerAddress("http://127.0.0.1:{port}", is_development=False),
        IssuerAddress("http://store.test:{port}", is_development=True),
        IssuerAddress("ftp://127.0.0.1:{port}", is_development=True),
    ],
)
def test_asks_nobody_without_tls_in_production(ci: CiIssuer, address: IssuerAddress) -> None:
    port = ci.url.rpartition(":")[2]
    unsafe = IssuerAddress(address.url.format(port=port), address.is_development)

    with pytest.raises(IssuerUnavailable) as refused:
        HttpKeySource(PATIENT).key(unsafe, key_id="key-1", algorithm="RS256")

    assert refused.value.facts["reason"] == "its address is not https"
    assert ci.asked == []


def test_takes_nothing_from_the_environment(ci: CiIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert key_of(ci).key_id == "key-1"


SYMMETRIC = {"kty": "oct", "kid": "key-1", "k": "AAAA", "alg": "RS256"}
SMALL = {
    "kty": "RSA",
    "kid": "key-1",
    "n": "u1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffA",
    "e": "AQAB",
}


@pytest.mark.parametrize(
    "unusable",
    [
        jwk(rsa_key(), use="enc"),
        jwk(rsa_key(), alg="RS512"),
        jwk(rsa_key(), alg="HS256"),
        jwk(rsa_key(), kty="EC"),
        jwk(rsa_key(), n="%%%"),
        jwk(rsa_key(), n=5),
        jwk(rsa_key(), kid=5),
        jwk(rsa_key(), kid=""),
        jwk(rsa_key(), d="AAAA"),
        jwk(ec_key(), crv="P-384"),
        jwk(ec_key(), x=jwk(ec_key("other"))["x"]),
        SYMMETRIC,
        SMALL,
        {},
        "key-1",
        None,
    ],
)
def test_passes_over_keys_that_it_cannot_use(ci: CiIssuer, unusable: object) -> None:
    ci.say(JWKS, {"keys": [unusable]})
    with pytest.raises(UnknownKey):
        key_of(ci)

    ci.say(JWKS, {"keys": [unusable, jwk(rsa_key())]})

    assert key_of(ci).public == rsa_key().public_key()
