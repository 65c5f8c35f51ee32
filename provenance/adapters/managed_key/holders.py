"""Who holds a managed key: a file, a key service, a hardware token; opened by a signer URI.

The URIs are those of securesystemslib, which speaks to all of them but two: files here may have a
passphrase, and Vault's keys may lie at any mount. Each other library is imported when it is needed:
a store with its key in a file installs none of them.
"""

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, unquote

import boto3
from botocore.config import Config
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
from provenance.adapters.managed_key.opened_key import OpenedKey, Secret, read_private
from provenance.adapters.signing_algorithms import (
    UnsupportedKey,
    algorithm_of,
    load_spki,
    spki_of,
)
from provenance.errors import SignerUnavailable

# cosign and sigstore-go verify RSA as PKCS#1 v1.5, so that a bundle with PSS would be nobody's.
RSA_SCHEME: Final = "rsa-pkcs1v15-sha256"


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
                opened = opener(rest, Secret(self.secret_file))
                _ = opened.algorithm
        except UnsupportedLibraryError as error:
            raise SignerUnavailable(
                reason="library-missing",
                found=str(error),
                expected=f"pip install strongroom[{scheme}]",
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


def _open_file(path: str, secret: Secret) -> OpenedKey:
    """A private key in PEM (PKCS#8), encrypted or not; nobody but its owner may read it."""
    file = Path(unquote(path))
    pem = read_private(file, "key-file")
    is_encrypted = b"ENCRYPTED" in pem
    passphrase = secret.read().encode() if is_encrypted else None
    try:
        private = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        reason = "wrong-passphrase" if is_encrypted else "malformed-key-file"
        raise SignerUnavailable(reason=reason, file=str(file), found=str(error)[:200]) from error
    public = private.public_key()
    library = CryptoSigner(private, _library_key(public))
    kind = "with a passphrase" if is_encrypted else "without a passphrase"
    return _of_library(library, f"file {file}, mode {stat.S_IMODE(file.stat().st_mode):o}, {kind}")


def _open_aws(key_id: str, _secret: Secret) -> OpenedKey:
    """With a client of ours: the library's own would wait for minutes, beyond the batch's lease."""
    limits = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2})
    # A session of its own: the shared one keeps the first credentials it was asked for.
    client = boto3.Session().client("kms", config=limits)
    answer = client.get_public_key(KeyId=key_id)
    public = load_spki(answer["PublicKey"])
    library = AWSSigner.from_priv_key_uri(f"awskms:{key_id}", _library_key(public))
    if library.aws_algo not in answer.get("SigningAlgorithms", ()):
        raise UnsupportedKey(f"a key for {answer.get('KeyUsage')}, not with {library.aws_algo}")
    library.client = client
    return _of_library(library, f"AWS KMS, key {key_id}")


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
        return secret.read()

    uri, public = HSMSigner.import_(int(key_id) if key_id else None, label, pin)
    library = HSMSigner.from_priv_key_uri(uri, public, pin)
    return _of_library(library, f"PKCS#11 token, {uri}")


def _open_vault(rest: str, secret: Secret) -> OpenedKey:
    from provenance.adapters.managed_key.vault import open_transit_key  # noqa: PLC0415 - needs hvac

    return open_transit_key(rest, secret)


def _library_key(public: object) -> SSlibKey:
    """The public half as securesystemslib has it, with the way to sign that it implies."""
    is_rsa = algorithm_of(public).name.startswith("RSA")
    return SSlibKey.from_crypto(public, scheme=RSA_SCHEME if is_rsa else None)  # type: ignore[arg-type]  # just looked at


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
