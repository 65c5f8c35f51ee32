"""What a Fulcio certificate says: one identity, one issuer, and the extensions by number.

Source: Fulcio's OID directory, 1.3.6.1.4.1.57264.1. Up to .6 a value is bare text, from .8 on a
DER UTF8String.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat import asn1
from sigstore.errors import VerificationError

FULCIO: Final = "1.3.6.1.4.1.57264.1."
_ISSUER_V1: Final = 1
_ISSUER: Final = 8


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What the certificate says; true as soon as its chain is verified."""

    identity: str
    issuer: str
    extensions: Mapping[int, str]


class FulcioProfile:
    """A sigstore verification policy: exactly one identity, a URI, and an issuer.

    Whether it is the *right* identity is decided by provenance.domain.evidence, which compares
    both with the signed predicate; sigstore's own UnsafeNoOp would let a certificate without
    either pass unnoticed. `facts` is set when the certificate conforms.
    """

    facts: CertificateFacts | None = None

    def verify(self, cert: x509.Certificate) -> None:
        """Read the certificate.

        Raises:
            VerificationError: it has no or several identities, no issuer, or two that differ.
        """
        try:
            extensions = fulcio_extensions(cert)
            identity = _identity(cert)
        except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension) as error:
            raise VerificationError(f"certificate extensions: {error}") from error
        issuer = extensions.get(_ISSUER, "")
        if not issuer:
            raise VerificationError("certificate has no issuer (1.3.6.1.4.1.57264.1.8)")
        if extensions.get(_ISSUER_V1, issuer) != issuer:
            raise VerificationError("certificate names two issuers (.1 and .8 differ)")
        self.facts = CertificateFacts(identity, issuer, extensions)


def _identity(certificate: x509.Certificate) -> str:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    match list(names):
        case [x509.UniformResourceIdentifier() as uri]:
            return uri.value
        case others:
            found = ", ".join(type(name).__name__ for name in others)
            raise VerificationError(f"certificate needs one identity, a URI; found: {found}")


def fulcio_extensions(certificate: x509.Certificate) -> dict[int, str]:
    """The texts of its Fulcio extensions by number.

    Raises:
        ValueError: one is not encoded as its number asks.
    """
    texts: dict[int, str] = {}
    for extension in certificate.extensions:
        suffix = extension.oid.dotted_string.removeprefix(FULCIO)
        if not suffix.isdecimal() or not isinstance(extension.value, x509.UnrecognizedExtension):
            continue
        value = extension.value.value
        number = int(suffix)
        texts[number] = value.decode() if number < _ISSUER else asn1.decode_der(str, value)
    return texts
