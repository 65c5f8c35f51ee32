"""Which instance to sign with: a trusted root and a signing config, as Sigstore's tools make them.

Both are read again for each batch, so that a rotated key or a moved service needs no restart.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from sigstore._internal.rekor.client import RekorClient
from sigstore._internal.rekor.client_v2 import RekorV2Client
from sigstore.errors import Error as SigstoreError
from sigstore.models import SigningConfig, TrustedRoot
from sigstore_models.trustroot import v1 as trustroot

from provenance.domain.transparency import Transparency
from provenance.errors import SignerUnavailable

# The public-good instance writes into public logs, and a log forgets nothing.
_PUBLIC: Final = ".sigstore.dev"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Document:
    """What was read, and where: a path, or a target's name and its repository."""

    content: bytes
    place: str


class Description(Protocol):
    """Where an instance's description comes from."""

    def read_trusted_root(self) -> Document:
        """Its keys and certificates.

        Raises:
            SignerUnavailable: there is none that may be used now.
        """
        ...

    def read_signing_config(self) -> Document:
        """Its services.

        Raises:
            SignerUnavailable: there is none that may be used now.
        """
        ...


@dataclass(frozen=True, slots=True)
class InstanceFiles:
    """An instance that the operator describes in two files; `settings` begins their names."""

    trusted_root: Path | None
    signing_config: Path | None
    settings: str = "STRONGROOM_SIGSTORE"

    def read_trusted_root(self) -> Document:
        return _read(self.trusted_root, f"{self.settings}_TRUSTED_ROOT")

    def read_signing_config(self) -> Document:
        return _read(self.signing_config, f"{self.settings}_SIGNING_CONFIG")


@dataclass(frozen=True, slots=True)
class Log:
    """A Rekor, and the version of its API: 1 promises a time itself, 2 does not."""

    url: str
    version: int


@dataclass(frozen=True, slots=True)
class Services:
    """One CA, one log, the timestamp authorities, and what verifies their answers."""

    fulcio: str
    rekor: Log
    timestamps: tuple[str, ...]
    trusted_root: TrustedRoot


def read_services(description: Description, transparency: Transparency) -> Services:
    """The services that are valid now, in the order of Sigstore's own choice.

    Raises:
        SignerUnavailable: a document is missing or wrong, or names nothing that can be used.
    """
    root = read_trusted_root(description)
    document = description.read_signing_config()
    try:
        config = SigningConfig(trustroot.SigningConfig.from_json(document.content))
        fulcio = config.get_fulcio().url
        logs = _logs(config)
        timestamps = tuple(authority.url for authority in config.get_tsas())
    except (ValueError, SigstoreError) as error:
        raise SignerUnavailable(
            reason="unusable-signing-config", file=document.place, found=str(error)[:300]
        ) from error
    # A log of the second version vouches for no time: without an authority nothing verifies.
    needs_time = bool(logs) and logs[0].version != 1
    for kind, is_missing in (
        ("Rekor", not logs),
        ("timestamp authority", needs_time and not timestamps),
    ):
        if is_missing:
            raise SignerUnavailable(
                reason="unusable-signing-config", file=document.place, expected=kind
            )
    for url in (fulcio, *(log.url for log in logs), *timestamps):
        _check_address(url, transparency)
    return Services(fulcio, logs[0], timestamps, TrustedRoot(root))


def _logs(config: SigningConfig) -> list[Log]:
    """The newest API first."""
    found = []
    for log in config.get_tlogs():
        if isinstance(log, RekorV2Client):
            found.append(Log(log.url, 2))
        elif isinstance(log, RekorClient):
            found.append(Log(log.url, 1))
    return sorted(found, key=lambda log: -log.version)


def read_trusted_root(description: Description) -> trustroot.TrustedRoot:
    """The instance's keys and certificates.

    Raises:
        SignerUnavailable: the document is missing, or is no trusted root.
    """
    document = description.read_trusted_root()
    try:
        root = trustroot.TrustedRoot.from_json(document.content)
        TrustedRoot(root)
    except (ValueError, SigstoreError) as error:
        raise SignerUnavailable(
            reason="unusable-trusted-root", file=document.place, found=str(error)[:300]
        ) from error
    return root


def _read(file: Path | None, setting: str) -> Document:
    if file is None:
        raise SignerUnavailable(reason="not-configured", expected=setting)
    try:
        return Document(file.read_bytes(), str(file))
    except OSError as error:
        raise SignerUnavailable(
            reason="unreadable-file", file=str(file), found=error.strerror
        ) from error


def _check_address(url: str, transparency: Transparency) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise SignerUnavailable(reason="service-not-https", found=url)
    if transparency is not Transparency.PUBLIC_LOG and f".{host}".endswith(_PUBLIC):
        raise SignerUnavailable(reason="public-instance", found=url)
