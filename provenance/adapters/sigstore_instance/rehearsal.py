"""What would become public: a statement's requests, made by the code that signs, and not sent.

Key, certificate authority and signature are made for this and thrown away. What depends on them
is named in place of its value; everything else is what a Sigstore instance would really be sent,
and what its Fulcio puts into a certificate (deploy/fulcio.yaml).
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from sigstore import dsse
from sigstore._internal.rekor.client import RekorClient
from sigstore._internal.rekor.client_v2 import RekorV2Client

from provenance.adapters.embedded.authority import (
    Authority,
    create_intermediate,
    create_root,
    prepare,
)
from provenance.adapters.embedded.identity import Certifiable
from provenance.adapters.embedded.keys import SigningKey
from provenance.adapters.embedded.wire import statement_entry
from provenance.adapters.fulcio_certificate import FULCIO, fulcio_extensions
from provenance.adapters.sigstore_instance.configuration import Description, Log, read_services
from provenance.domain.identity_issuer import certified, token_claims
from provenance.domain.transparency import Transparency
from provenance.ports import SigningJob

SIGNATURE: Final = "(the signature, made when it is signed)"
CERTIFICATE: Final = "(the certificate)"


class Rehearsal:
    """The port over the instance that writes into public logs."""

    def __init__(self, *, description: Description, issuer: str) -> None:
        self._description = description
        self._issuer = issuer

    def disclose(self, job: SigningJob, *, now: datetime) -> Mapping[str, Any]:
        services = read_services(self._description, Transparency.PUBLIC_LOG)
        rehearsed = rehearse(job, log=services.rekor, issuer=self._issuer, now=now)
        texts = fulcio_extensions(rehearsed.certificate)
        return {
            "certificate": {
                "issued_by": services.fulcio,
                "subject_alternative_name": job.identity,
                "extensions": [
                    {"oid": f"{FULCIO}{number}", "value": text}
                    for number, text in sorted(texts.items())
                ],
                "besides": "a public key, a serial number, ten minutes of validity, and the "
                "promise of a certificate log, which keeps the certificate",
            },
            "log_entry": {
                "log": services.rekor.url,
                "sent": rehearsed.sent,
                "stored": rehearsed.stored,
            },
            "timestamps": {
                "authorities": list(services.timestamps),
                "sent": "the SHA-256 digest of the signature, and a random number",
            },
        }


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The certificate that Fulcio would issue and log, and what Rekor would be sent.

    `stored` is what a Rekor of the first version keeps of it; the second keeps what it is sent.
    """

    certificate: x509.Certificate
    sent: Mapping[str, Any]
    stored: Mapping[str, Any]


def rehearse(job: SigningJob, *, log: Log, issuer: str, now: datetime) -> Rehearsed:
    """Make what the job would have sent.

    Raises:
        SignerRefused: the job cannot be signed.
    """
    key = SigningKey.generate()
    certificate = _certificate(job, key, issuer=issuer, now=now)
    envelope = dsse._sign(key.private, dsse.Statement(job.statement))  # noqa: SLF001 - as its Signer
    client = RekorClient if log.version == 1 else RekorV2Client
    sent = client(log.url)._build_dsse_request(envelope, certificate)  # noqa: SLF001 - as above
    stored = json.loads(statement_entry(sent)) if log.version == 1 else sent
    random = {
        base64.b64encode(envelope.signature).decode(): SIGNATURE,
        **{
            _base64(certificate.public_bytes(form)): CERTIFICATE
            for form in (Encoding.DER, Encoding.PEM)
        },
    }
    return Rehearsed(certificate, named(sent, random), named(stored, random))


def named(document: Any, random: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """The document with the names of random values in their places, also inside of texts."""
    if isinstance(document, Mapping):
        return {name: named(value, random) for name, value in document.items()}
    if isinstance(document, list):
        return [named(value, random) for value in document]
    if isinstance(document, str):
        for value, name in random.items():
            document = document.replace(value, name)
    return document


def _certificate(
    job: SigningJob, key: SigningKey, *, issuer: str, now: datetime
) -> x509.Certificate:
    token = token_claims(issuer=issuer, identity=job.identity, extensions=job.claims, now=now)
    root_key, authority_key = SigningKey.generate(), SigningKey.generate()
    root = create_root(root_key, organization=issuer, generation=1, now=now)
    authority = Authority(
        authority_key,
        create_intermediate(authority_key, root=root, root_key=root_key, generation=1, now=now),
        root,
    )
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    csr = request.sign(key.private, hashes.SHA256())
    certifiable = Certifiable(issuer, job.identity, certified(token))
    # Without the promise of a certificate log, which nobody has been asked for.
    prepared = prepare(authority, csr, certifiable, now=now)
    return prepared.builder.sign(authority_key.private, hashes.SHA256())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
