"""People who log in with another provider: which claims of an ID token count, and their names.

OpenID Connect Core 1.0, 2 and 3.1.3.7. Who somebody is, is `iss` and `sub` together and nothing
else: names and e-mail addresses can be given to somebody else.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from access.errors import OidcLoginFailed

# The table of identities has no room for a longer one; providers' are shorter (Core, 2: 255).
MAX_SUBJECT: Final = 191
MAX_NAME: Final = 60
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """The provider that the operator named. The secret's file is read at each login."""

    issuer: str
    client_id: str
    client_secret_file: Path
    name: str
    admits_new_people: bool


@dataclass(frozen=True, slots=True)
class OidcPerson:
    """Whom a provider has vouched for. `email` is empty unless the provider has verified it."""

    issuer: str
    subject: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody came back, and is this person; `next_path` is where they wanted to be."""

    person: OidcPerson
    next_path: str


def read_person(
    verified: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str
) -> OidcPerson:
    """Take the person from the claims of a token whose signature and times were verified.

    Raises:
        OidcLoginFailed: it was issued by another issuer, for another client, or for another login.
    """
    audience = verified.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if verified.get("iss") != issuer:
        raise OidcLoginFailed(reason="another issuer", expected=issuer)
    if client_id not in audiences or (
        # (3.1.3.7, 3-5) One of several audiences must say that it is the one that asked.
        (len(audiences) > 1 or "azp" in verified) and verified.get("azp") != client_id
    ):
        raise OidcLoginFailed(reason="another audience", expected=client_id)
    if not nonce or not hmac.compare_digest(str(verified.get("nonce", "")), nonce):
        raise OidcLoginFailed(reason="another login's nonce")
    subject = verified.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= MAX_SUBJECT or "\x00" in subject:
        raise OidcLoginFailed(reason="no usable subject", most_characters=MAX_SUBJECT)
    return OidcPerson(issuer, subject, _name(verified, subject), _email(verified))


def account_name(person: OidcPerson, number: int) -> str:
    """What the account is called: never a name that could be taken for a local one."""
    host = urlsplit(person.issuer).hostname or "provider"
    return f"{person.name}{f'-{number}' if number > 1 else ''}@{host}"[:150]


def _name(verified: Mapping[str, Any], subject: str) -> str:
    wanted = str(verified.get("preferred_username") or subject).partition("@")[0].lower()
    return _NOT_IN_NAMES.sub("-", wanted).strip("-.")[:MAX_NAME] or "person"


def _email(verified: Mapping[str, Any]) -> str:
    email = verified.get("email")
    return email if isinstance(email, str) and verified.get("email_verified") is True else ""
