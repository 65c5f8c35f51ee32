"""Stores that sign with a managed key in a file, with or without witnesses."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from django.conf import settings
from django.utils import timezone

from provenance.adapters.managed_key.holders import KeyHolder
from provenance.adapters.managed_key.signer import KeySigner, Witnesses, listed_key
from provenance.adapters.managed_key.signer_keys import ManagedKeys
from provenance.adapters.sigstore_instance.configuration import InstanceFiles
from provenance.domain.signing_keys import public_pem
from provenance.domain.trust_document import TrustDocument
from provenance.usecases.attest_builds import Attestor
from provenance.usecases.initialise_signer import initialise_signer
from tests.factories.actors import administrator
from tests.factories.private_sigstore.instance import Instance
from tests.factories.signing_jobs import STORE

KINDS: Final[dict[str, Callable[[], Any]]] = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa1024": lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505 - to be refused
}


def pem_of(private: PrivateKeyTypes, *, passphrase: str = "") -> bytes:
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def secret_in(folder: Path, text: str, name: str = "secret") -> Path:
    file = folder / name
    file.write_text(f"{text}\n")
    file.chmod(0o600)
    return file


def key_in(folder: Path, kind: str = "p256", *, name: str = "key.pem", passphrase: str = "") -> str:
    """A new private key in a file; its signer URI."""
    file = folder / name
    file.write_bytes(pem_of(KINDS[kind](), passphrase=passphrase))
    file.chmod(0o600)
    return f"file:{file}"


@dataclass(frozen=True)
class KeyStore:
    """One key as a store is configured with it; `instance` gives its witnesses, if any."""

    uri: str
    instance: Instance | None = None
    secret_file: Path | None = None
    base_url: str = STORE
    has_log: bool = True
    since: datetime = field(default_factory=timezone.now)

    @property
    def holder(self) -> KeyHolder:
        return KeyHolder(self.uri, self.secret_file)

    @property
    def witnesses(self) -> Witnesses:
        if self.instance is None:
            return Witnesses()
        authority = f"{self.instance.tsa}/api/v1/timestamp"
        return Witnesses((authority,), self.instance.rekor if self.has_log else None)

    @property
    def keys(self) -> ManagedKeys:
        root = self.instance.trusted_root if self.instance is not None else None
        files = InstanceFiles(root, None)
        return ManagedKeys(
            holder=self.holder, witnesses=self.witnesses, files=files, base_url=self.base_url
        )

    @property
    def document(self) -> TrustDocument:
        """The trust root of this key alone."""
        opened = self.holder.open()
        listed = listed_key(opened, self.witnesses, base_url=self.base_url, now=self.since)
        return TrustDocument(self.keys.trusted_root(), (listed,))

    @property
    def pem(self) -> str:
        return public_pem(self.document.signing_keys[0])

    def signer(self, witnesses: Witnesses | None = None) -> KeySigner:
        return KeySigner(
            holder=self.holder,
            witnesses=witnesses or self.witnesses,
            base_url=self.base_url,
            clock=timezone.now,
        )

    def through(self, *, tsa: str = "", rekor: str = "") -> KeySigner:
        """The real signer, with a service at another address."""
        real = self.witnesses
        timestamps = (f"{tsa}/api/v1/timestamp",) if tsa else real.timestamps
        return self.signer(replace(real, timestamps=timestamps, log=rekor or real.log))


def signing_with_a_key(attestor: Attestor, folder: Path) -> Attestor:
    """The store after its operator has changed to a key in a file, without witnesses."""
    store = KeyStore(key_in(folder), base_url=settings.PUBLIC_URL)
    initialise_signer(keys=store.keys, actor=administrator(), now=timezone.now())
    return replace(attestor, signer=store.signer())
