"""What each kind of managed key signs with: told from the key, so that no bundle can choose.

Source: Sigstore's algorithm registry (architecture-docs), which cosign and sigstore-go follow.
"""

import hashlib
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from provenance.domain.signing_keys import Algorithm

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
_CURVES: Final[dict[str, Algorithm]] = {
    "secp256r1": Algorithm.ECDSA_P256,
    "secp384r1": Algorithm.ECDSA_P384,
}
_RSA_BITS: Final = {
    2048: Algorithm.RSA_2048,
    3072: Algorithm.RSA_3072,
    4096: Algorithm.RSA_4096,
}
# What a hashedrekord entry holds the digest of. Ed25519 has none: it signs the message itself.
PREHASH: Final[dict[Algorithm, tuple[str, Callable[[bytes], "hashlib._Hash"]]]] = {
    Algorithm.ECDSA_P256: ("SHA2_256", hashlib.sha256),
    Algorithm.ECDSA_P384: ("SHA2_384", hashlib.sha384),
    Algorithm.RSA_2048: ("SHA2_256", hashlib.sha256),
    Algorithm.RSA_3072: ("SHA2_256", hashlib.sha256),
    Algorithm.RSA_4096: ("SHA2_256", hashlib.sha256),
}


class UnsupportedKey(ValueError):
    """A key of a kind, curve or size that the store's bundles are not signed with."""


def algorithm_of(key: object) -> Algorithm:
    """How a public key signs.

    Raises:
        UnsupportedKey: it is none of those that Sigstore's verifiers share.
    """
    match key:
        case ec.EllipticCurvePublicKey() if key.curve.name in _CURVES:
            return _CURVES[key.curve.name]
        case rsa.RSAPublicKey() if key.key_size in _RSA_BITS:
            return _RSA_BITS[key.key_size]
        case ed25519.Ed25519PublicKey():
            return Algorithm.ED25519
        case ec.EllipticCurvePublicKey():
            raise UnsupportedKey(f"an elliptic curve key on {key.curve.name}")
        case rsa.RSAPublicKey():
            raise UnsupportedKey(f"an RSA key of {key.key_size} bits")
        case _:
            raise UnsupportedKey(type(key).__name__)


def load_spki(spki: bytes) -> PublicKey:
    """Read a public key (DER, SubjectPublicKeyInfo).

    Raises:
        UnsupportedKey: it cannot be read, is written in another way, or is of another kind.
    """
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnsupportedKey(str(error)) from error
    algorithm_of(key)
    if not isinstance(key, PublicKey) or spki_of(key) != spki:
        raise UnsupportedKey("a key that is not written as DER")
    return key


def spki_of(key: PublicKey) -> bytes:
    """The public key as DER SubjectPublicKeyInfo."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def verify_signature(key: PublicKey, signature: bytes, message: bytes) -> None:
    """Return if the key signed the message.

    Raises:
        InvalidSignature: it did not.
    """
    match key:
        case ec.EllipticCurvePublicKey():
            is_p256 = algorithm_of(key) is Algorithm.ECDSA_P256
            key.verify(
                signature, message, ec.ECDSA(hashes.SHA256() if is_p256 else hashes.SHA384())
            )
        case rsa.RSAPublicKey():
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        case _:
            key.verify(signature, message)
