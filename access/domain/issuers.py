"""Which issuers of identity tokens an instance may have."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from access.errors import IssuerNotAllowed
from provenance.domain.build_facts import Platform
from provenance.domain.builders import DEVELOPMENT_ISSUER

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
# The builders of these names may be granted more than others': the names are their owners' alone.
_RESERVED_NAMES: Final = {
    "github": "https://token.actions.githubusercontent.com",
    "gitlab": "https://gitlab.com",
}
_LONGEST_URL: Final = 300  # it stands in every job's key, which has to fit its column
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class IssuerAddress:
    """Where an issuer's keys are found, and whether plain HTTP on loopback may be used for it."""

    url: str
    is_development: bool


@dataclass(frozen=True, slots=True)
class NewIssuer:
    """What an administrator asks to add. The name becomes part of its builder ids for ever."""

    name: str
    url: str
    platform: Platform
    is_development: bool = False


def check_issuer(issuer: NewIssuer, *, own_url: str, allows_development: bool) -> None:
    """Refuse what must never be an issuer of this store.

    Raises:
        IssuerNotAllowed: naming the rule that it breaks.
    """
    if not _NAME.fullmatch(issuer.name):
        raise IssuerNotAllowed(rule="name", expected="a-z, 0-9 and '-', 1 to 40 characters")
    parts = _split(issuer.url)
    # A store that accepts its own tokens would witness whatever it had itself been told.
    if _origin(parts) == _origin(urlsplit(own_url)):
        raise IssuerNotAllowed(rule="own-url", found=issuer.url)
    # Both ways: the builder ids of that name claim nothing, and no other name may say so little.
    if issuer.is_development != (issuer.name == DEVELOPMENT_ISSUER):
        expected = f"{DEVELOPMENT_ISSUER!r} for the development issuer and for no other"
        raise IssuerNotAllowed(rule="development-name", expected=expected, found=issuer.name)
    if issuer.url != _RESERVED_NAMES.get(issuer.name, issuer.url):
        expected = _RESERVED_NAMES[issuer.name]
        raise IssuerNotAllowed(rule="reserved-name", expected=expected, found=issuer.url)
    if issuer.is_development and not allows_development:
        raise IssuerNotAllowed(rule="development", expected="an instance that is not production")
    if not is_reachable_safely(IssuerAddress(issuer.url, issuer.is_development)):
        raise IssuerNotAllowed(rule="scheme", expected="https", found=parts.scheme)


def is_reachable_safely(address: IssuerAddress) -> bool:
    """Whether keys may be fetched: over TLS, or from the development issuer on this machine."""
    parts = urlsplit(address.url)
    if parts.scheme == "https":
        return True
    return parts.scheme == "http" and address.is_development and _is_loopback(parts.hostname)


def _split(url: str) -> SplitResult:
    """OpenID Connect Discovery 1.0, section 3: scheme, host, perhaps port and path, no more."""
    expected = "https://host[:port][/path], as the `iss` claim spells it"
    if len(url) > _LONGEST_URL or not url.isprintable() or any(char in url for char in " ?#@\\"):
        raise IssuerNotAllowed(rule="url", expected=expected)
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        raise IssuerNotAllowed(rule="url", expected=expected) from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise IssuerNotAllowed(rule="url", expected=expected)
    return parts


def _origin(parts: SplitResult) -> tuple[str, int | None]:
    """Host and port, where the two default ports are one: most hosts answer alike on both."""
    host = (parts.hostname or "").rstrip(".")
    is_default = parts.port in (None, *_DEFAULT_PORTS.values())
    return host, None if is_default else parts.port


def _is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"
