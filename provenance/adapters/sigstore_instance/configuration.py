"""Which instance to sign with: a trusted root and a signing config, as Sigstore's tools make them.

Both are read again for each batch, so that a rotated key or a moved service needs no restart.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sigstore._internal.rekor.client_v2 import RekorV2Client
from sigstore.errors import Error as SigstoreError
from sigstore.models import SigningConfig, TrustedRoot
from sigstore_models.trustroot import v1 as trustroot

from provenance.errors import SignerUnavailable

# The public-good instance writes into public logs, and a log forgets nothing. Nothing tells a
# signer yet which project is public, so that none may be written there.
_PUBLIC: Final = ".sigstore.dev"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class InstanceFiles:
    """Where the operator keeps the instance's description."""

    trusted_root: Path | None
    signing_config: Path | None


@dataclass(frozen=True, slots=True)
class Services:
    """One CA, one log, the timestamp authorities, and what verifies their answers."""

    fulcio: str
    rekor: str
    timestamps: tuple[str, ...]
    trusted_root: TrustedRoot


def read_services(files: InstanceFiles) -> Services:
    """The services that are valid now, in the order of Sigstore's own choice.

    Raises:
        SignerUnavailable: a file is missing or wrong, or names nothing that can be used.
    """
    root = read_trusted_root(files)
    raw = _read(files.signing_config, "STRONGROOM_SIGSTORE_SIGNING_CONFIG")
    try:
        config = SigningConfig(trustroot.SigningConfig.from_json(raw))
        fulcio = config.get_fulcio().url
        logs = [log.url for log in config.get_tlogs() if isinstance(log, RekorV2Client)]
        timestamps = tuple(authority.url for authority in config.get_tsas())
    except (ValueError, SigstoreError) as error:
        raise SignerUnavailable(
            reason="unusable-signing-config",
            file=str(files.signing_config),
            found=str(error)[:300],
        ) from error
    # A log of the second version vouches for no time: without an authority nothing verifies.
    for kind, found in (("Rekor v2", logs), ("timestamp authority", timestamps)):
        if not found:
            raise SignerUnavailable(
                reason="unusable-signing-config", file=str(files.signing_config), expected=kind
            )
    for url in (fulcio, *logs, *timestamps):
        _check_address(url)
    return Services(fulcio, logs[0], timestamps, TrustedRoot(root))


def read_trusted_root(files: InstanceFiles) -> trustroot.TrustedRoot:
    """The instance's keys and certificates.

    Raises:
        SignerUnavailable: the file is missing, or is no trusted root.
    """
    raw = _read(files.trusted_root, "STRONGROOM_SIGSTORE_TRUSTED_ROOT")
    try:
        root = trustroot.TrustedRoot.from_json(raw)
        TrustedRoot(root)
    except (ValueError, SigstoreError) as error:
        raise SignerUnavailable(
            reason="unusable-trusted-root", file=str(files.trusted_root), found=str(error)[:300]
        ) from error
    return root


def _read(file: Path | None, setting: str) -> bytes:
    if file is None:
        raise SignerUnavailable(reason="not-configured", expected=setting)
    try:
        return file.read_bytes()
    except OSError as error:
        raise SignerUnavailable(
            reason="unreadable-file", file=str(file), found=error.strerror
        ) from error


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise SignerUnavailable(reason="service-not-https", found=url)
    if f".{host}".endswith(_PUBLIC):
        raise SignerUnavailable(reason="public-instance", found=url)
