"""A stub of a certificate transparency log: it signs SCTs for precertificates, and keeps nothing.

No CT log without a database could be built for these tests. Fulcio and all verifiers need the
SCT, and check it; nobody here asks for proofs of inclusion.
"""

import base64
import json
import struct
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provenance.adapters.embedded.keys import SigningKey
from provenance.adapters.embedded.wire import certificate_leaf
from tests.factories.private_sigstore.serving import Answer, Request

POISON: Final = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.3")


class CtLog:
    """Answers `add-pre-chain` (RFC 6962, section 4.2)."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = SigningKey.of(key)

    def answer(self, request: Request) -> Answer:
        if not request.path.endswith("/ct/v1/add-pre-chain"):
            return Answer.json({"error": request.path}, 404)
        chain = [
            x509.load_der_x509_certificate(base64.b64decode(one))
            for one in json.loads(request.body)["chain"]
        ]
        now = datetime.now(UTC).replace(microsecond=0)  # as the leaf has it
        issuer = chain[1].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        signature = self._key.sign(certificate_leaf(_tbs(chain[0]), issuer_spki=issuer, now=now))
        return Answer.json(
            {
                "sct_version": 0,
                "id": base64.b64encode(self._key.log_id).decode(),
                "timestamp": int(now.timestamp() * 1000),
                "extensions": "",
                "signature": base64.b64encode(
                    b"\x04\x03" + struct.pack("!H", len(signature)) + signature
                ).decode(),
            }
        )


def _tbs(precertificate: x509.Certificate) -> bytes:
    """The certificate without the poison, encoded again in the same way."""
    builder = x509.CertificateBuilder(
        issuer_name=precertificate.issuer,
        subject_name=precertificate.subject,
        public_key=precertificate.public_key(),
        serial_number=precertificate.serial_number,
        not_valid_before=precertificate.not_valid_before_utc,
        not_valid_after=precertificate.not_valid_after_utc,
    )
    for extension in precertificate.extensions:
        if extension.oid != POISON:
            builder = builder.add_extension(extension.value, critical=extension.critical)
    anybody = ec.generate_private_key(ec.SECP256R1())
    return builder.sign(anybody, hashes.SHA256()).tbs_certificate_bytes
