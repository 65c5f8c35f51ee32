"""With whom people log in beside their password, as the operator named it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from access.domain.oidc_people import OidcProvider

LONGEST_ISSUER: Final = 200  # what the table of identities has room for
_LOOPBACK: Final = ("http", "127.0.0.1")
_NEW_PEOPLE: Final = ("admit", "refuse")


@dataclass(frozen=True, slots=True)
class GivenLogin:
    """What was given of it; without an issuer there is no such login."""

    issuer: str | None
    client_id: str | None
    client_secret_file: Path | None
    name: str | None
    new_people: str

    def problems(self) -> list[str]:
        """What is wrong with it, each beginning with the setting behind the common prefix."""
        found = []
        if self.new_people not in _NEW_PEOPLE:
            found.append(f"NEW_PEOPLE is {self.new_people!r}; one of {', '.join(_NEW_PEOPLE)}")
        if self.issuer is None:
            return found
        address = urlsplit(self.issuer)
        # Plain HTTP is for trying it on one machine.
        is_private = address.scheme == "https" or (address.scheme, address.hostname) == _LOOPBACK
        if not is_private or len(self.issuer) > LONGEST_ISSUER:
            found.append(
                f"ISSUER is {self.issuer!r}; it must be an https:// address of at most "
                f"{LONGEST_ISSUER} characters, exactly as the provider writes itself"
            )
        needed = {"CLIENT_ID": self.client_id, "CLIENT_SECRET_FILE": self.client_secret_file}
        found += [f"{name} is not set beside the issuer" for name, v in needed.items() if not v]
        return found

    def provider(self) -> OidcProvider | None:
        """The provider, where all of it was given."""
        if self.issuer is None or self.client_id is None or self.client_secret_file is None:
            return None
        return OidcProvider(
            issuer=self.issuer,
            client_id=self.client_id,
            client_secret_file=self.client_secret_file,
            name=self.name or urlsplit(self.issuer).hostname or self.issuer,
            admits_new_people=self.new_people == "admit",
        )
