"""The keys and certificates of a private Sigstore instance, as files for its servers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PASSWORD: Final = "only-for-tests"


@dataclass(frozen=True, slots=True)
class Certified:
    """A key with its certificate, and those above it."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    def pem(self) -> bytes:
        every = (self.certificate, *self.chain)
        return b"".join(one.public_bytes(Encoding.PEM) for one in every)


@dataclass(frozen=True, slots=True)
class Pki:
    """Where the files are, and the CT log's key, which is used in this process."""

    folder: Path
    ct_key: ec.EllipticCurvePrivateKey
    started_at: str

    def file(self, name: str) -> str:
        return str(self.folder / name)


def create_pki(folder: Path, *, started_at: datetime | None = None) -> Pki:
    """A CA with an intermediate, a timestamp authority, a log key and a CT key."""
    folder.mkdir()
    start = (started_at or datetime.now(UTC) - timedelta(minutes=5)).replace(microsecond=0)
    root = _certified("Fulcio root", start, ca=True)
    issuing = _certified(
        "Fulcio", start, above=root, ca=True, usage=ExtendedKeyUsageOID.CODE_SIGNING
    )
    tsa_root = _certified("TSA root", start, ca=True)
    tsa = _certified("TSA", start, above=tsa_root, usage=ExtendedKeyUsageOID.TIME_STAMPING)
    (folder / "fulcio.pem").write_bytes(issuing.pem())
    (folder / "tsa.pem").write_bytes(tsa.pem())
    _write_key(folder / "fulcio.key", issuing.key, password=PASSWORD)
    _write_key(folder / "tsa.key", tsa.key)
    rekor, ct_key = ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
    _write_key(folder / "rekor.key", rekor)
    for name, key in (("rekor.pub", rekor), ("ct.pub", ct_key)):
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / name).write_bytes(public)
    return Pki(folder, ct_key, start.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _certified(
    name: str,
    start: datetime,
    *,
    above: Certified | None = None,
    ca: bool = False,
    usage: x509.ObjectIdentifier | None = None,
) -> Certified:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "sigstore.test"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above.certificate.subject if above else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365))
        .add_extension(_key_usage(ca=ca), critical=True)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=1 if ca else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if usage is not None:
        # RFC 3161, section 2.3: critical in the certificate of a timestamp authority.
        is_time = usage == ExtendedKeyUsageOID.TIME_STAMPING
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=is_time)
    if above is not None:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(above.key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    certificate = builder.sign(above.key if above else key, hashes.SHA256())
    return Certified(key, certificate, (above.certificate, *above.chain) if above else ())


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_key(
    file: Path, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, *, password: str = ""
) -> None:
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    file.touch(mode=0o600)
    file.write_bytes(pem)
