"""Who the client is to the store: nobody, the owner of a token, or (client/ci) a CI job."""

from dataclasses import dataclass, field
from typing import Protocol


class Credentials(Protocol):
    """Gives the bearer token of each request. Used by several threads at once."""

    def token(self) -> str | None:
        """The token to send, or None for none.

        Raises:
            Refusal, StoreRefused: there should be one, and it cannot be had.
        """

    def renew(self, rejected: str | None, *, code: str) -> bool:
        """Whether `token` will now give another than this one, which was rejected for that reason.

        Raises:
            Refusal, StoreRefused: as above.
        """


class Anonymous:
    """Nobody: enough to read a public project."""

    def token(self) -> str | None:
        return None

    def renew(self, rejected: str | None, *, code: str) -> bool:  # noqa: ARG002 - the port's shape
        return False


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token of the store that somebody made; there is no other where it is rejected."""

    secret: str = field(repr=False)

    def token(self) -> str | None:
        return self.secret

    def renew(self, rejected: str | None, *, code: str) -> bool:  # noqa: ARG002 - the port's shape
        return False
