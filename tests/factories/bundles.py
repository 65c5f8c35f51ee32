"""Bundles signed with real keys that never saw a database: good ones, and precise forgeries.

Every part can be replaced before the parts that sign it are made, so that a forgery differs from
its accepted twin in the forged thing alone.
"""

import base64
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance.adapters.embedded.authority import create_intermediate, create_root
from provenance.adapters.embedded.keys import SigningKey
from provenance.adapters.embedded.wire import (
    Logged,
    certificate_leaf,
    checkpoint,
    log_entry,
    sct_list,
    statement_entry,
)
from provenance.domain import merkle

AT = datetime(2026, 11, 21, 8, 0, 0, tzinfo=UTC)
STORE = "http://store.test"
IDENTITY = f"{STORE}/builders/github/hosted-unconfirmed/v1"
ORIGIN = "store.test - 1"
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1","subject":[],"n":1}'
SCT = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
SPARE = 99
CODE_SIGNING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def fulcio(suffix: int, value: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{suffix}"), value)


def uri(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)


@dataclass
class Authority:
    """A root with an intermediate."""

    root_key: SigningKey = field(default_factory=SigningKey.generate)
    key: SigningKey = field(default_factory=SigningKey.generate)

    def __post_init__(self) -> None:
        self.root = create_root(self.root_key, organization="store.test", generation=1, now=AT)
        self.intermediate = create_intermediate(
            self.key, root=self.root, root_key=self.root_key, generation=1, now=AT
        )


@dataclass(frozen=True)
class Leaf:
    """What a certificate says; the defaults are what the embedded CA would issue."""

    names: tuple[x509.GeneralName, ...] = (uri(IDENTITY),)
    texts: Mapping[int, bytes] = field(
        default_factory=lambda: {
            1: STORE.encode(),
            8: asn1.encode_der(STORE),
            9: asn1.encode_der(IDENTITY),
            12: asn1.encode_der("https://github.com/acme/widget"),
        }
    )
    usage: x509.ExtendedKeyUsage | None = CODE_SIGNING
    scts: int = 1
    # The number that the extension `SPARE` of `texts` gets, also where there is one already.
    renamed: int | None = None


@dataclass(frozen=True)
class Parts:
    """What a bundle is made of and by whom it is signed."""

    payload: bytes = PAYLOAD
    leaf: Leaf = field(default_factory=Leaf)
    issued_at: datetime = AT
    integrated_at: datetime = AT + timedelta(seconds=1)
    authority: Authority | None = None
    ct_key: SigningKey | None = None
    log_key: SigningKey | None = None
    neighbours: int = 6


class Instance:
    """A private Sigstore in memory: its keys, its trust root, and a way to sign."""

    def __init__(self) -> None:
        self.authority = Authority()
        self.ct_key = SigningKey.generate()
        self.log_key = SigningKey.generate()

    def trust_root(
        self, *, log_end: datetime | None = None, authority_end: datetime | None = None
    ) -> bytes:
        authority = self.authority
        chain = [
            {"rawBytes": base64_of(certificate.public_bytes(Encoding.DER))}
            for certificate in (authority.intermediate, authority.root)
        ]
        document = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "certificateAuthorities": [
                {
                    "subject": {"organization": "store.test", "commonName": "root"},
                    "uri": STORE,
                    "certChain": {"certificates": chain},
                    "validFor": _window(authority_end),
                }
            ],
            "ctlogs": [_log(self.ct_key, None)],
            "tlogs": [_log(self.log_key, log_end)],
            "timestampAuthorities": [],
        }
        return json.dumps(document).encode()

    def bundle(self, parts: Parts | None = None) -> dict[str, Any]:
        parts = parts or Parts()
        signer = SigningKey.generate()
        certificate = self._certificate(parts, signer)
        signature = signer.sign(
            b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(parts.payload), parts.payload)
        )
        envelope = {
            "payload": base64_of(parts.payload),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": base64_of(signature)}],
        }
        pem = base64_of(certificate.public_bytes(Encoding.PEM))
        body = statement_entry(
            {"spec": {"proposedContent": {"envelope": json.dumps(envelope), "verifiers": [pem]}}}
        )
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": base64_of(certificate.public_bytes(Encoding.DER))},
                "tlogEntries": [self._entry(parts, body)],
                "timestampVerificationData": {"rfc3161Timestamps": []},
            },
            "dsseEnvelope": envelope,
        }

    def history(self, size: int) -> list[dict[str, Any]]:
        """Bundles that follow each other in one log, each with the checkpoint of its moment."""
        bundles = [self.bundle(Parts(payload=b"statement %d" % n)) for n in range(size)]
        bodies = [base64.b64decode(entry_of(bundle)["canonicalizedBody"]) for bundle in bundles]
        for number, bundle in enumerate(bundles):
            bundle["verificationMaterial"]["tlogEntries"] = [
                self._logged(bodies[: number + 1], number, AT, self.log_key)
            ]
        return bundles

    def _certificate(self, parts: Parts, signer: SigningKey) -> x509.Certificate:
        authority, leaf = parts.authority or self.authority, parts.leaf
        usage = x509.KeyUsage(*[True, *[False] * 8])
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(authority.intermediate.subject)
            .public_key(signer.private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(parts.issued_at)
            .not_valid_after(parts.issued_at + timedelta(minutes=10))
            .add_extension(usage, critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    authority.key.private.public_key()
                ),
                critical=False,
            )
            .add_extension(x509.SubjectAlternativeName(leaf.names), critical=True)
        )
        if leaf.usage is not None:
            builder = builder.add_extension(leaf.usage, critical=False)
        for suffix, value in leaf.texts.items():
            builder = builder.add_extension(fulcio(suffix, value), critical=False)
        if leaf.scts:
            builder = self._with_scts(builder, parts, authority)
        certificate = builder.sign(authority.key.private, hashes.SHA256())
        if leaf.renamed is None:
            return certificate
        tbs = _renamed(certificate.tbs_certificate_bytes, leaf.renamed)
        return _signed_otherwise(certificate, tbs, authority.key)

    def _with_scts(
        self, builder: x509.CertificateBuilder, parts: Parts, authority: Authority
    ) -> x509.CertificateBuilder:
        tbs = builder.sign(authority.key.private, hashes.SHA256()).tbs_certificate_bytes
        if parts.leaf.renamed is not None:
            tbs = _renamed(tbs, parts.leaf.renamed)
        logged = certificate_leaf(tbs, issuer_spki=authority.key.spki, now=parts.issued_at)
        one = sct_list(logged, key=parts.ct_key or self.ct_key, now=parts.issued_at)[2:]
        scts = struct.pack("!H", len(one) * parts.leaf.scts) + one * parts.leaf.scts
        return builder.add_extension(
            x509.UnrecognizedExtension(SCT, asn1.encode_der(scts)), critical=False
        )

    def _entry(self, parts: Parts, body: bytes) -> dict[str, Any]:
        """The entry at index 0 of a log that some neighbours share."""
        others = [b"neighbour %d" % number for number in range(parts.neighbours)]
        return self._logged([body, *others], 0, parts.integrated_at, parts.log_key or self.log_key)

    def _logged(
        self, bodies: list[bytes], index: int, at: datetime, key: SigningKey
    ) -> dict[str, Any]:
        nodes = merkle.appended(0, [merkle.leaf_hash(body) for body in bodies], {})
        size = len(bodies)
        root = merkle.root(size, nodes.__getitem__)
        path = merkle.inclusion_proof(index, size, nodes.__getitem__)
        note = checkpoint(ORIGIN, size, root, key=key)
        logged = Logged(bodies[index], index, at, size, root, path)
        return log_entry(logged, checkpoint=note, key=key)


def _renamed(tbs: bytes, number: int) -> bytes:
    """The certificate's body with the spare extension under another number of the same length."""
    spare, wanted = (x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{one}") for one in (SPARE, number))
    old, new = (asn1.encode_der(oid) for oid in (spare, wanted))
    assert tbs.count(old) == 1
    assert len(old) == len(new)
    return tbs.replace(old, new)


def _signed_otherwise(
    certificate: x509.Certificate, tbs: bytes, key: SigningKey
) -> x509.Certificate:
    """The certificate with another body, signed anew: what no builder would make."""
    der, old = certificate.public_bytes(Encoding.DER), certificate.signature
    while len(signature := key.sign(tbs)) != len(old):
        pass  # DER's integers have a byte more or less
    return x509.load_der_x509_certificate(
        der.replace(certificate.tbs_certificate_bytes, tbs).replace(old, signature)
    )


def encoded(bundle: Mapping[str, Any]) -> bytes:
    return json.dumps(bundle, separators=(",", ":")).encode()


def entry_of(bundle: Mapping[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = bundle["verificationMaterial"]["tlogEntries"][0]
    return entry


def _window(end: datetime | None) -> dict[str, str]:
    start = (AT - timedelta(days=1)).isoformat()
    return {"start": start} if end is None else {"start": start, "end": end.isoformat()}


def _log(key: SigningKey, end: datetime | None) -> dict[str, Any]:
    return {
        "baseUrl": STORE,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": base64_of(key.spki),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": _window(end),
        },
        "logId": {"keyId": base64_of(key.log_id)},
    }
