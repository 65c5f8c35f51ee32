"""The settings of the signer `key`: which key it is, and who vouches for its signatures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
# A public log forgets nothing, and a store's projects may be private.
_PUBLIC: Final = ".sigstore.dev"


class NotUsable(ValueError):
    """An address that statements of this store must not be sent to."""


@dataclass(frozen=True, slots=True)
class ManagedKey:
    """`uri` is a signer URI; `secret_file` holds its passphrase, PIN or token.

    `timestamps` are addresses of authorities (RFC 3161), `log` that of a Rekor v2 log.
    """

    uri: str | None
    secret_file: Path | None
    timestamps: tuple[str, ...]
    log: str | None


def service_address(value: str, *, is_log: bool = False) -> str:
    """The address, if it is one to send signatures to.

    Raises:
        NotUsable: it is not https (or loopback), or is the public log.
    """
    parts = urlsplit(value)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise NotUsable(f"{value!r} is not https://host[:port]/…")
    if is_log and f".{host}".endswith(_PUBLIC):
        raise NotUsable(f"{value!r} is a public log, which would show private projects")
    return value.rstrip("/")
