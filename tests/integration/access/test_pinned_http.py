"""Issuers are asked at addresses that were checked: no private network, no rebinding."""

from dataclasses import replace
from pathlib import Path

import pytest

from access.adapters.http_keys import HttpKeySource
from access.domain.issuers import IssuerAddress
from access.errors import IssuerUnavailable
from kernel.addresses import forbidden
from kernel.pinned_http import Limits
from tests.factories.ci_issuer import DISCOVERY, JWKS, CiIssuer, certificate_for, running_issuer

# Only what hangs reaches these.
PATIENT = Limits(connect_seconds=60, read_seconds=60, total_seconds=60, size_bytes=50_000)


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def asked_at(ci: CiIssuer, host: str, *addresses: str, **allowed: bool) -> object:
    """Ask the issuer under this name, which leads to these addresses; what is found or why not."""
    issuer = IssuerAddress(f"https://{host}", **{"is_development": False, **allowed})
    source = HttpKeySource(PATIENT, resolve=lambda _host, _port: addresses)
    with pytest.raises(IssuerUnavailable) as refused:
        source.key(issuer, key_id="key-1", algorithm="RS256")
    assert ci.asked == []
    return refused.value.facts["reason"]


PRIVATE = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fc00::1", "fd12::1"]
NEVER = [
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "169.254.169.254",
    "fe80::1%eth0",
    "0.0.0.0",  # noqa: S104 - an address that must be refused, bound by nobody
    "::",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "no address",
    "",
]


@pytest.mark.parametrize("address", [*PRIVATE, *NEVER, "::ffff:10.0.0.1", "64:ff9b::a00:1"])
def test_asks_no_private_address_even_after_dns(ci: CiIssuer, address: str) -> None:
    private = "its host has a private address"

    assert asked_at(ci, "git.example", address) == private
    assert asked_at(ci, "git.example", "140.82.112.3", address) == private


@pytest.mark.parametrize("address", NEVER)
def test_asks_itself_and_the_clouds_metadata_by_no_setting(ci: CiIssuer, address: str) -> None:
    reason = asked_at(ci, "git.example", address, allows_private_addresses=True)

    assert reason == "its host has a private address"


@pytest.mark.parametrize("address", PRIVATE[:3] + PRIVATE[4:])
def test_lets_an_administrator_open_private_addresses(address: str) -> None:
    issuer = IssuerAddress("https://git.example", is_development=False)

    assert forbidden([address], issuer) == address
    assert forbidden([address], replace(issuer, allows_private_addresses=True)) is None
    assert forbidden(["140.82.112.3", "2606:50c0::1"], issuer) is None


def test_asks_no_host_without_addresses_or_with_a_crowd_of_them(ci: CiIssuer) -> None:
    unusable = "its host has no usable address"

    assert asked_at(ci, "git.example") == unusable
    assert asked_at(ci, "git.example", *["140.82.112.3"] * 17) == unusable


def test_connects_to_the_address_that_was_checked_and_asks_dns_once(ci: CiIssuer) -> None:
    """DNS rebinding: the second answer would lead elsewhere; nobody asks for it before it is
    checked again."""
    port = ci.url.rpartition(":")[2]
    answers = [["127.0.0.1"], ["127.0.0.1"], ["169.254.169.254"]]
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    url = f"http://localhost:{port}"
    ci.say(DISCOVERY, {"issuer": url, "jwks_uri": f"{url}{JWKS}"})
    issuer = IssuerAddress(url, is_development=True)
    clock = Clock()
    source = HttpKeySource(PATIENT, clock, resolve=resolve)

    assert source.key(issuer, key_id="key-1", algorithm="RS256").key_id == "key-1"
    assert asked == ["localhost", "localhost"]
    clock.now += PATIENT.fresh_seconds
    with pytest.raises(IssuerUnavailable) as refused:
        source.key(issuer, key_id="key-1", algorithm="RS256")
    assert refused.value.facts["reason"] == "its host has a private address"
    assert ci.asked == [DISCOVERY, JWKS]


def test_tries_the_next_address_where_nobody_listens(ci: CiIssuer) -> None:
    port = ci.url.rpartition(":")[2]
    url = f"http://localhost:{port}"
    ci.say(DISCOVERY, {"issuer": url, "jwks_uri": f"{url}{JWKS}"})
    source = HttpKeySource(PATIENT, resolve=lambda _host, _port: ["127.0.0.9", "127.0.0.1"])

    found = source.key(IssuerAddress(url, is_development=True), key_id="key-1", algorithm="RS256")

    assert found.key_id == "key-1"


@pytest.mark.parametrize(
    ("name", "is_good"), [("ci.test", True), ("other.test", False), ("127.0.0.1", False)]
)
def test_wants_the_certificate_for_the_name_and_not_for_the_address(
    ci: CiIssuer,
    tmp_path: Path,
    name: str,
    is_good: bool,  # noqa: FBT001 - a table's column
) -> None:
    certificate = certificate_for(name, tmp_path)
    with running_issuer(certificate) as secure:
        port = secure.url.rpartition(":")[2]
        url = f"https://ci.test:{port}"
        secure.say(DISCOVERY, {"issuer": url, "jwks_uri": f"{url}{JWKS}"})
        source = HttpKeySource(
            PATIENT, resolve=lambda _host, _port: ["127.0.0.1"], certificates=str(certificate)
        )
        issuer = IssuerAddress(url, is_development=True)
        if is_good:
            assert source.key(issuer, key_id="key-1", algorithm="RS256").key_id == "key-1"
            assert secure.asked == [DISCOVERY, JWKS]
            return
        with pytest.raises(IssuerUnavailable) as refused:
            source.key(issuer, key_id="key-1", algorithm="RS256")
        assert refused.value.facts["reason"] == "SSLError"
        assert secure.asked == ci.asked == []
