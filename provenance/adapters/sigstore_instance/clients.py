"""Fulcio, Rekor and timestamp authorities, where sigstore-python expects clients of its own.

They ask over a Line of ours, mind the service's breaker, and raise refusals instead of being
logged and forgotten. What they answer is only parsed here: `attest_builds` verifies the result.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    decode_timestamp_response,
)
from sigstore._internal.fulcio.client import FulcioCertificateSigningResponse
from sigstore._internal.rekor import EntryRequestBody
from sigstore._internal.rekor.client import RekorClient
from sigstore._internal.rekor.client_v2 import RekorV2Client
from sigstore.models import TransparencyLogEntry
from sigstore.oidc import IdentityToken
from sigstore_models.rekor import v1 as rekor

from provenance.adapters.sigstore_instance.breaker import Breaker
from provenance.adapters.sigstore_instance.line import Line
from provenance.errors import SignerRefused, SignerUnavailable

Parsed = TypeVar("Parsed")
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Service:
    """One service at its address."""

    line: Line
    breaker: Breaker
    url: str

    def ask(
        self, body: bytes, headers: Mapping[str, str], read: Callable[[bytes], Parsed]
    ) -> Parsed:
        """Post, and read the answer.

        Raises:
            SignerUnavailable: there is no answer that can be read.
            SignerRefused: the service says that the request is wrong.
        """
        self.breaker.check()
        name = self.breaker.service
        try:
            content = self.line.post(name, self.url, body, headers)
            parsed = _parsed(name, self.url, content, read)
        except SignerUnavailable as refusal:
            self.breaker.failed(refusal)
            raise
        except SignerRefused:
            self.breaker.succeeded()
            raise
        self.breaker.succeeded()
        return parsed


class InstanceFulcio:
    """Stands where sigstore expects a FulcioClient, for one statement."""

    def __init__(self, service: Service, identity: str) -> None:
        self._service = service
        self._identity = identity

    @property
    def signing_cert(self) -> "InstanceFulcio":
        return self

    def post(
        self, request: x509.CertificateSigningRequest, identity: IdentityToken
    ) -> FulcioCertificateSigningResponse:
        """Get a certificate for the request's key and the identity that was asked for.

        Raises:
            SignerRefused: it is for another key or identity; nothing may be logged with it.
        """
        pem = base64.b64encode(request.public_bytes(Encoding.PEM)).decode()
        response = self._service.ask(
            json.dumps({"certificateSigningRequest": pem}).encode(),
            {**_JSON, "Authorization": f"Bearer {identity}"},
            _certificates,
        )
        if response.cert.public_key() != request.public_key():
            raise SignerRefused(service="fulcio", reason="certificate-for-another-key")
        found = _identities(response.cert)
        if found != [self._identity]:
            raise SignerRefused(
                service="fulcio",
                reason="certificate-for-another-identity",
                expected=self._identity,
                found=found,
            )
        return response


class InstanceRekor(RekorV2Client):
    """A client of a Rekor v2 log that proposes what sigstore's own would."""

    def __init__(self, service: Service) -> None:
        super().__init__(service.url)
        self._service = service

    def create_entry(self, payload: EntryRequestBody) -> TransparencyLogEntry:
        """Wait until the entry is in the log."""
        return self._service.ask(json.dumps(payload).encode(), _JSON, _entry)


class InstanceRekorV1(RekorClient):
    """The same for the first version of Rekor's API."""

    def __init__(self, service: Service) -> None:
        super().__init__(service.url)
        self._service = service

    def create_entry(self, request: EntryRequestBody) -> TransparencyLogEntry:
        """Have it entered; the answer promises its time (the signed entry timestamp)."""
        return self._service.ask(json.dumps(request).encode(), _JSON, _first_version_entry)


class InstanceTimestamps:
    """Stands where sigstore expects a TimestampAuthorityClient."""

    def __init__(self, service: Service) -> None:
        self.url = service.url
        self._service = service

    def request_timestamp(self, signature: bytes) -> TimeStampResponse:
        """Get a timestamp (RFC 3161). Unlike sigstore's own, no failure passes in silence.

        Raises:
            SignerRefused: it answers another question (RFC 3161, section 2.4.2, nonce).
        """
        query = (
            TimestampRequestBuilder()
            .hash_algorithm(HashAlgorithm.SHA256)
            .data(signature)
            .nonce(nonce=True)
            .build()
        )
        response = self._service.ask(
            query.as_bytes(),
            {"Content-Type": "application/timestamp-query"},
            _timestamp,
        )
        if response.tst_info.nonce != query.nonce:
            raise SignerRefused(service="tsa", reason="timestamp-for-another-request")
        return response


def _parsed(service: str, url: str, content: bytes, read: Callable[[bytes], Parsed]) -> Parsed:
    try:
        return read(content)
    except MemoryError:
        raise
    except BaseException as error:
        # Below are parsers of JSON, PEM and DER, on what may be any bytes; one of them is written
        # in Rust, and a panic in it is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise SignerUnavailable(
            service=service, url=url, reason="unreadable-answer", found=repr(error)[:300]
        ) from error


def _certificates(content: bytes) -> FulcioCertificateSigningResponse:
    pems = json.loads(content)["signedCertificateEmbeddedSct"]["chain"]["certificates"]
    leaf, *chain = [x509.load_pem_x509_certificate(pem.encode()) for pem in pems]
    if not chain:
        raise ValueError("the certificate comes without its issuer")
    return FulcioCertificateSigningResponse(leaf, chain)


def _timestamp(content: bytes) -> TimeStampResponse:
    response = decode_timestamp_response(content)
    _ = response.tst_info  # raises now, if there is none in it
    return response


def _entry(content: bytes) -> TransparencyLogEntry:
    return TransparencyLogEntry(rekor.TransparencyLogEntry.from_dict(json.loads(content)))


def _first_version_entry(content: bytes) -> TransparencyLogEntry:
    return TransparencyLogEntry._from_v1_response(json.loads(content))  # noqa: SLF001 - no other way


def _identities(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return []
    return [str(name.value) for name in names]
