"""The certificate authority: certificates of Fulcio's shape, each for one key and ten minutes.

Sources: the Fulcio certificate specification and its OID directory (1.3.6.1.4.1.57264.1),
RFC 6962 section 3.1 for what a CT log signs before the certificate exists.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provenance.adapters.embedded.identity import Certifiable
from provenance.adapters.embedded.keys import SigningKey
from provenance.errors import SignerRefused

CERTIFICATE_LIFETIME: Final = timedelta(minutes=10)
AUTHORITY_LIFETIME: Final = timedelta(days=3652)
_FULCIO: Final = "1.3.6.1.4.1.57264.1"
_SCT_LIST: Final = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


@dataclass(frozen=True, slots=True)
class Authority:
    """The issuing intermediate with its key, and the root above it."""

    key: SigningKey
    intermediate: x509.Certificate
    root: x509.Certificate


@dataclass(frozen=True, slots=True)
class Precertificate:
    """A certificate that lacks only its SCT; `tbs` is what the CT log records and signs."""

    builder: x509.CertificateBuilder
    tbs: bytes


def create_root(
    key: SigningKey, *, organization: str, generation: int, now: datetime
) -> x509.Certificate:
    """A self-signed root for intermediates of ours."""
    name = _name(organization, f"Strongroom root {generation}")
    return _authority_builder(name, name, key, path_length=1, now=now).sign(
        key.private, hashes.SHA256()
    )


def create_intermediate(
    key: SigningKey,
    *,
    root: x509.Certificate,
    root_key: SigningKey,
    generation: int,
    now: datetime,
) -> x509.Certificate:
    """The intermediate that issues leaves, for code signing only."""
    organization = root.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value
    name = _name(str(organization), f"Strongroom intermediate {generation}")
    builder = _authority_builder(name, root.subject, key, path_length=0, now=now)
    return (
        builder.add_extension(_code_signing(), critical=False)
        .add_extension(_issued_by(root), critical=False)
        .sign(root_key.private, hashes.SHA256())
    )


def prepare(
    authority: Authority,
    request: x509.CertificateSigningRequest,
    certifiable: Certifiable,
    *,
    now: datetime,
) -> Precertificate:
    """Everything of a leaf but its SCT: the request's key, and only what its token proved.

    Raises:
        SignerRefused: the request is not signed by its own key, or the identity is not a URI.
    """
    public = request.public_key()
    if not request.is_signature_valid or not isinstance(public, ec.EllipticCurvePublicKey):
        raise SignerRefused(reason="certificate-request")
    try:
        identity = x509.UniformResourceIdentifier(certifiable.identity)
    except ValueError as error:
        raise SignerRefused(reason="identity-not-a-uri", found=certifiable.identity) from error
    start = now.replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.intermediate.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + CERTIFICATE_LIFETIME)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(_code_signing(), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_issued_by(authority.intermediate), critical=False)
        # Critical, because the subject is empty (RFC 5280, section 4.2.1.6).
        .add_extension(x509.SubjectAlternativeName([identity]), critical=True)
        # The older form of the issuer is the bare text; every later extension is a UTF8String.
        .add_extension(_extension(1, certifiable.issuer.encode()), critical=False)
    )
    texts = {8: certifiable.issuer, 9: certifiable.identity, **certifiable.extensions}
    for suffix, text in sorted(texts.items()):
        builder = builder.add_extension(_extension(suffix, asn1.encode_der(text)), critical=False)
    draft = builder.sign(authority.key.private, hashes.SHA256())
    return Precertificate(builder, draft.tbs_certificate_bytes)


def issue(authority: Authority, prepared: Precertificate, sct_list: bytes) -> x509.Certificate:
    """The certificate with its SCT as the last extension, so that removing it restores `tbs`."""
    certificate = prepared.builder.add_extension(
        x509.UnrecognizedExtension(_SCT_LIST, asn1.encode_der(sct_list)), critical=False
    ).sign(authority.key.private, hashes.SHA256())
    # Read it as a stranger would: the builder's result still holds the SCT as unrecognized.
    return x509.load_der_x509_certificate(certificate.public_bytes(Encoding.DER))


def _authority_builder(
    subject: x509.Name, issuer: x509.Name, key: SigningKey, *, path_length: int, now: datetime
) -> x509.CertificateBuilder:
    start = now.replace(microsecond=0)
    public = key.private.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _name(organization: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization[:64]),  # RFC 5280's limit
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _code_signing() -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])


def _issued_by(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
        issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    )


def _extension(suffix: int, value: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_FULCIO}.{suffix}"), value)
