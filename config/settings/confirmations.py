"""STRONGROOM_CONFIRMATIONS: which issuers' platforms are asked about jobs, where, as whom.

One JSON object by issuer name, `{"github": {"token_file": "/…"}}`; docs/confirmation.md has all
members. Only the worker needs it. Credentials stay in their files.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

_ISSUER: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_DEVELOPMENT: Final = "development"
# The issuers of these names are their platforms' own, and no other address answers for them.
KNOWN_APIS: Final[Mapping[str, str]] = {
    "github": "https://api.github.com",
    "gitlab": "https://gitlab.com/api/v4",
}
_MEMBERS: Final[Mapping[str, type]] = {
    "api": str,
    "token_file": str,
    "allows_private_addresses": bool,
}
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class NotUsable(ValueError):
    """The setting cannot be used; the text says which part and why."""


@dataclass(frozen=True, slots=True)
class ConfirmationApi:
    """Where one issuer's platform answers about jobs, and the file with the credential."""

    url: str
    token_file: Path | None
    allows_private_addresses: bool


def read_confirmations(value: str, *, is_development: bool) -> Mapping[str, ConfirmationApi]:
    """The APIs by issuer name.

    Raises:
        NotUsable: the first thing in it that is wrong.
    """
    try:
        document = json.loads(value)
    except ValueError as error:
        raise NotUsable(f"it is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise NotUsable("it is not a JSON object by issuer name")
    return {name: _api(name, one, is_development) for name, one in document.items()}


def _api(name: str, members: Any, is_development: bool) -> ConfirmationApi:  # noqa: ANN401, FBT001 - JSON; its one caller
    if not _ISSUER.fullmatch(name) or name == _DEVELOPMENT:
        raise NotUsable(f"{name!r} is no issuer whose platform can be asked")
    if not isinstance(members, dict):
        raise NotUsable(f"{name} is not an object")
    for member, found in members.items():
        if member not in _MEMBERS:
            raise NotUsable(f"{name} has no member {member!r}; there are {', '.join(_MEMBERS)}")
        if not isinstance(found, _MEMBERS[member]):
            raise NotUsable(f"{name}: {member} has another type")
    token_file = members.get("token_file")
    if token_file is not None and not Path(token_file).is_absolute():
        raise NotUsable(f"{name}: token_file must be an absolute path")
    return ConfirmationApi(
        url=_url(name, members.get("api"), is_development=is_development),
        token_file=Path(token_file) if token_file is not None else None,
        allows_private_addresses=members.get("allows_private_addresses", False),
    )


def _url(name: str, given: str | None, *, is_development: bool) -> str:
    known = KNOWN_APIS.get(name)
    url = given or known
    if url is None:
        raise NotUsable(f"{name}: api is missing, for example https://git.example.com/api/v4")
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        raise NotUsable(f"{name}: api is no address") from None
    is_clean = url == f"{parts.scheme}://{parts.netloc}{parts.path}" and url.isprintable()
    if not parts.hostname or "@" in parts.netloc or not is_clean or url.endswith("/"):
        raise NotUsable(f"{name}: api must be https://host[:port][/path], with nothing behind it")
    is_own = is_development and parts.scheme == "http" and parts.hostname in _LOOPBACK
    if parts.scheme != "https" and not is_own:
        raise NotUsable(f"{name}: api must be https")
    if known not in (None, url) and not is_own:
        raise NotUsable(f"{name}: api is {known} and no other")
    return url
