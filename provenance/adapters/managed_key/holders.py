"""Who holds a managed key: a file, a key service, a hardware token; opened by a signer URI.

The URIs are those of securesystemslib, which speaks to all of them but two: files here may have a
passphrase, and Vault's keys may lie at any mount. Each other library is imported when it is needed:
a store with its key in a file installs none of them.
"""

import errno
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol
from urllib.parse import parse_qsl, unquote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.exceptions import UnsupportedLibraryError
from securesystemslib.signer import (
    AWSSigner,
    AzureSigner,
    CryptoSigner,
    GCPSigner,
    HSMSigner,
    SSlibKey,
)
from securesystemslib.signer import Signer as LibrarySigner

from provenance.adapters.managed_key.failures import explained
from provenance.adapters.signing_algorithms import (
    PublicKey,
    UnsupportedKey,
    algorithm_of,
    load_spki,
    spki_of,
)
from provenance.domain.signing_keys import Algorithm
from provenance.errors import SignerUnavailable

# cosign and sigstore-go verify RSA as PKCS#1 v1.5, so that a bundle with PSS would be nobody's.
RSA_SCHEME: Final = "rsa-pkcs1v15-sha256"
_READABLE_BY_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES: Final = 64 * 1024
# What to install where a library is missing: extras of this distribution.
EXTRAS: Final[Mapping[str, str]] = MappingProxyType(
    {"awskms": "server", "gcpkms": "gcpkms", "azurekms": "azurekms", "hsm": "hsm", "vault": "vault"}
)


class Secret(Protocol):
    """The passphrase, PIN or token of the key, read when it is needed."""

    def __call__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class OpenedKey:
    """A key that can sign now. `sign` may ask somebody over the network, and may be slow.

    `described` says where it was found, for people: a mount and a version, a file's mode.
    """

    public: PublicKey
    sign: Callable[[bytes], bytes]
    described: str

    @property
    def algorithm(self) -> Algorithm:
        return algorithm_of(self.public)

    @property
    def spki(self) -> bytes:
        return spki_of(self.public)


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """The holder that a signer URI names."""

    uri: str | None
    secret_file: Path | None = None

    def open(self) -> OpenedKey:
        """Find the key and get ready to sign.

        Raises:
            SignerUnavailable: it cannot be found, read or used; the facts say what is wrong.
        """
        if not self.uri:
            raise SignerUnavailable(reason="not-configured", expected="STRONGROOM_KEY_URI")
        scheme, _, rest = self.uri.partition(":")
        opener = OPENERS.get(scheme)
        if opener is None:
            raise SignerUnavailable(
                reason="unknown-key-uri", found=scheme, expected=", ".join(sorted(OPENERS))
            )
        try:
            with explained(scheme, self.uri):
                opened = opener(rest, self._secret)
                _ = opened.algorithm
        except UnsupportedLibraryError as error:
            raise SignerUnavailable(
                reason="library-missing",
                found=str(error),
                expected=f"pip install strongroom[{EXTRAS.get(scheme, scheme)}]",
            ) from error
        except UnsupportedKey as error:
            raise SignerUnavailable(
                reason="unsupported-key",
                key=self.uri,
                found=str(error),
                expected="ECDSA P-256 or P-384, Ed25519, or RSA of 2048, 3072 or 4096 bits that "
                "signs with PKCS#1 v1.5",
            ) from error

        def sign(message: bytes) -> bytes:
            with explained(scheme, str(self.uri)):
                return opened.sign(message)

        return OpenedKey(opened.public, sign, opened.described)

    def _secret(self) -> str:
        if self.secret_file is None:
            raise SignerUnavailable(reason="no-key-secret", expected="STRONGROOM_KEY_SECRET_FILE")
        return _read(self.secret_file, "key-secret").decode(errors="replace").strip("\r\n")


def _open_file(path: str, secret: Secret) -> OpenedKey:
    """A private key in PEM (PKCS#8), encrypted or not; nobody but its owner may read it."""
    file = Path(unquote(path))
    pem = _read(file, "key-file")
    is_encrypted = b"ENCRYPTED" in pem
    passphrase = secret().encode() if is_encrypted else None
    try:
        private = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        reason = "wrong-passphrase" if is_encrypted else "malformed-key-file"
        raise SignerUnavailable(reason=reason, file=str(file), found=str(error)[:200]) from error
    public = private.public_key()
    algorithm = algorithm_of(public)
    scheme = RSA_SCHEME if algorithm.name.startswith("RSA") else None
    library = CryptoSigner(private, SSlibKey.from_crypto(public, scheme=scheme))
    kind = "with a passphrase" if is_encrypted else "without a passphrase"
    return _of_library(library, f"file {file}, mode {stat.S_IMODE(file.stat().st_mode):o}, {kind}")


def _read(file: Path, what: str) -> bytes:
    try:
        mode = file.stat().st_mode
        if mode & _READABLE_BY_OTHERS:
            raise SignerUnavailable(
                reason=f"exposed-{what}",
                file=str(file),
                found=f"mode {stat.S_IMODE(mode):04o}",
                expected="mode 0600 or 0400: nobody but the worker's account may read it",
            )
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES)
    except OSError as error:
        missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
        raise SignerUnavailable(
            reason=f"{'missing' if missing else 'unreadable'}-{what}",
            file=str(file),
            found=error.strerror,
        ) from error


def _open_aws(key_id: str, _secret: Secret) -> OpenedKey:
    uri, public = AWSSigner.import_(key_id)
    if public.keytype == "rsa":
        uri, public = AWSSigner.import_(key_id, RSA_SCHEME)
    return _of_library(AWSSigner.from_priv_key_uri(uri, public), f"AWS KMS, key {key_id}")


def _open_gcp(name: str, _secret: Secret) -> OpenedKey:
    uri, public = GCPSigner.import_(name)
    return _of_library(GCPSigner.from_priv_key_uri(uri, public), f"Google Cloud KMS, {name}")


def _open_azure(rest: str, _secret: Secret) -> OpenedKey:
    """`//VAULT.vault.azure.net/keys/NAME/VERSION`; the version is part of which key it is."""
    match rest.removeprefix("//").split("/"):
        case [host, "keys", name, version] if version:
            uri, public = AzureSigner.import_(host.partition(".")[0], name)
        case _:
            raise SignerUnavailable(
                reason="malformed-key-uri",
                found=f"azurekms:{rest}",
                expected="azurekms://VAULT.vault.azure.net/keys/NAME/VERSION",
            )
    if not uri.endswith(f"/{version}"):
        raise SignerUnavailable(
            reason="other-key-version", found=uri, expected=f"version {version}"
        )
    return _of_library(AzureSigner.from_priv_key_uri(uri, public), f"Azure Key Vault, {uri}")


def _open_hsm(rest: str, secret: Secret) -> OpenedKey:
    """`[KEYID][?label=LABEL]`; the library's path is in PYKCS11LIB, as securesystemslib has it."""
    key_id, _, query = rest.partition("?")
    label = dict(parse_qsl(query)).get("label")

    def pin(_name: str) -> str:
        return secret()

    uri, public = HSMSigner.import_(int(key_id) if key_id else None, label, pin)
    library = HSMSigner.from_priv_key_uri(uri, public, pin)
    return _of_library(library, f"PKCS#11 token, {uri}")


def _open_vault(rest: str, secret: Secret) -> OpenedKey:
    from provenance.adapters.managed_key.vault import open_transit_key  # noqa: PLC0415 - needs hvac

    opened = open_transit_key(rest, secret)
    return OpenedKey(opened.public, opened.sign, opened.described)


def _of_library(library: LibrarySigner, described: str) -> OpenedKey:
    key = library.public_key
    if not isinstance(key, SSlibKey):
        raise UnsupportedKey(type(key).__name__)
    if key.keytype == "rsa" and key.scheme != RSA_SCHEME:
        raise UnsupportedKey(f"an RSA key that signs with {key.scheme}")
    public = key._crypto_key()  # noqa: SLF001 - securesystemslib gives no other way to it
    algorithm_of(public)

    def sign(message: bytes) -> bytes:
        return bytes.fromhex(library.sign(message).signature)

    return OpenedKey(load_spki(spki_of(public)), sign, described)  # type: ignore[arg-type]  # just looked at


OPENERS: Final[Mapping[str, Callable[[str, Secret], OpenedKey]]] = MappingProxyType(
    {
        "file": _open_file,
        "awskms": _open_aws,
        "gcpkms": _open_gcp,
        "azurekms": _open_azure,
        "hsm": _open_hsm,
        "vault": _open_vault,
    }
)
