"""Which issuers of identity tokens an instance may have."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import SplitResult, urlsplit

from access.domain.github import GITHUB_COM
from access.domain.gitlab import GITLAB_COM
from access.domain.identity_token import ALGORITHMS, LONGEST_LIFE
from access.errors import IssuerNotAllowed
from provenance.domain.build_facts import Platform
from provenance.domain.builders import DEVELOPMENT_ISSUER

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
# What an administrator may set as the longest accepted life of an issuer's tokens. GitLab's live as
# long as the job's time limit; a day bounds what a leaked one is worth.
SHORTEST_LIMIT: Final = timedelta(minutes=1)
LONGEST_LIMIT: Final = timedelta(days=1)
_LONGEST_URL: Final = 300  # it stands in every job's key, which has to fit its column
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class IssuerAddress:
    """Where an issuer's keys are found, and which machines may be asked for them.

    Plain HTTP, and loopback, for the development issuer alone.
    """

    url: str
    is_development: bool
    allows_private_addresses: bool = False


@dataclass(frozen=True, slots=True)
class NewIssuer:
    """What an administrator asks to add. The name becomes part of its builder ids for ever."""

    name: str
    url: str
    platform: Platform
    is_development: bool = False
    algorithms: tuple[str, ...] = ALGORITHMS
    longest_life: timedelta = LONGEST_LIFE
    allows_private_addresses: bool = False


# By the name that people say. The store's own names of them are part of builder ids.
PRESETS: Final[Mapping[str, NewIssuer]] = {
    "github.com": NewIssuer("github", GITHUB_COM, Platform.GITHUB, algorithms=("RS256",)),
    "gitlab.com": NewIssuer("gitlab", GITLAB_COM, Platform.GITLAB, algorithms=("RS256",)),
}
# The builders of these names may be granted more than others': the names are their owners' alone.
_RESERVED: Final = {issuer.name: issuer for issuer in PRESETS.values()}


def preset(name: str) -> NewIssuer:
    """One of PRESETS.

    Raises:
        IssuerNotAllowed: there is none of this name.
    """
    if name not in PRESETS:
        raise IssuerNotAllowed(rule="preset", expected=" or ".join(PRESETS))
    return PRESETS[name]


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
    reserved = _RESERVED.get(issuer.name)
    if reserved is not None and (issuer.url, issuer.platform) != (reserved.url, reserved.platform):
        raise IssuerNotAllowed(
            rule="reserved-name",
            expected=f"{reserved.url} ({reserved.platform.value})",
            found=f"{issuer.url} ({issuer.platform.value})",
        )
    if issuer.is_development and not allows_development:
        raise IssuerNotAllowed(rule="development", expected="an instance that is not production")
    if not is_reachable_safely(IssuerAddress(issuer.url, issuer.is_development)):
        raise IssuerNotAllowed(rule="scheme", expected="https", found=parts.scheme)
    if not issuer.algorithms or not set(issuer.algorithms) <= set(ALGORITHMS):
        expected = f"one or more of {', '.join(ALGORITHMS)}"
        raise IssuerNotAllowed(rule="algorithms", expected=expected)
    if not SHORTEST_LIMIT <= issuer.longest_life <= LONGEST_LIMIT:
        low, high = (int(limit.total_seconds()) for limit in (SHORTEST_LIMIT, LONGEST_LIMIT))
        raise IssuerNotAllowed(rule="longest-life", expected=f"{low} to {high} seconds")


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
