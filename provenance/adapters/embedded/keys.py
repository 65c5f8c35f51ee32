"""The embedded signer's keys: sealed in rows under a key-encryption key that only it can read."""

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from provenance.errors import SignerUnavailable
from provenance.models import SealedKey

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class KeyEncryptionKey:
    """Seals private keys with AES-256-GCM; each seal is bound to the name of its row."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise SignerUnavailable(reason="malformed-attestor-key", expected="32 bytes")
        self._cipher = AESGCM(key)

    @classmethod
    def read(cls, file: Path | None) -> "KeyEncryptionKey":
        """Read the key from its file: 32 random bytes as base64, and nothing else.

        Raises:
            SignerUnavailable: there is no such file, it cannot be read, or holds something else.
        """
        if file is None:
            raise SignerUnavailable(
                reason="no-attestor-key", expected="STRONGROOM_ATTESTOR_KEY_FILE"
            )
        try:
            text = file.read_bytes()
        except OSError as error:
            raise SignerUnavailable(
                reason="unreadable-attestor-key", file=str(file), found=error.strerror
            ) from error
        try:
            return cls(base64.b64decode(text.strip(), validate=True))
        except binascii.Error as error:
            raise SignerUnavailable(
                reason="malformed-attestor-key", file=str(file), expected="32 bytes as base64"
            ) from error

    def seal(self, name: str, secret: bytes) -> bytes:
        """Encrypt a secret that belongs to the row of this name."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, _bound_to(name))

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Decrypt the secret of the row of this name.

        Raises:
            SignerUnavailable: it was sealed under another key, for another row, or changed.
        """
        try:
            return self._cipher.decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound_to(name)
            )
        except InvalidTag as error:
            raise SignerUnavailable(
                reason="wrong-attestor-key",
                key=name,
                expected="the key-encryption key that this store's keys were sealed under",
            ) from error


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An opened P-256 key with what verifiers know it by."""

    private: ec.EllipticCurvePrivateKey
    spki: bytes

    @classmethod
    def generate(cls) -> "SigningKey":
        """A fresh key."""
        return cls.of(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def of(cls, private: ec.EllipticCurvePrivateKey) -> "SigningKey":
        """Wrap a private key."""
        public = private.public_key()
        return cls(private, public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    @property
    def log_id(self) -> bytes:
        """The SHA-256 of the public key: its log id (RFC 6962, section 3.2), and key hint."""
        return hashlib.sha256(self.spki).digest()

    def sign(self, data: bytes) -> bytes:
        """An ECDSA signature over the data's SHA-256, DER encoded."""
        return self.private.sign(data, ec.ECDSA(hashes.SHA256()))


def store_key(
    kek: KeyEncryptionKey,
    name: str,
    key: SigningKey,
    *,
    now: datetime,
    certificate: bytes | None = None,
) -> SealedKey:
    """Keep a new key, sealed. A key of this name must not exist yet."""
    secret = key.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return SealedKey.objects.create(
        name=name,
        sealed=kek.seal(name, secret),
        public=key.spki,
        certificate=certificate,
        created_at=now,
    )


def open_key(kek: KeyEncryptionKey, row: SealedKey) -> SigningKey:
    """Open a sealed key, and make sure that it is the one whose public half stands beside it.

    Raises:
        SignerUnavailable: the key-encryption key is another one, or the row's halves differ.
    """
    private = load_der_private_key(kek.unseal(row.name, bytes(row.sealed)), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise SignerUnavailable(reason="foreign-sealed-key", key=row.name)
    key = SigningKey.of(private)
    if key.spki != bytes(row.public):
        raise SignerUnavailable(reason="foreign-sealed-key", key=row.name)
    return key


def _bound_to(name: str) -> bytes:
    return b"strongroom sealed key, version 1: " + name.encode()
