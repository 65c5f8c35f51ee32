"""What the sigstore signer takes for a Fulcio and a Rekor server: two ways to ask at the desk."""

from typing import Any

from cryptography.x509 import Certificate, CertificateSigningRequest
from sigstore._internal.fulcio.client import FulcioCertificateSigningResponse
from sigstore._internal.rekor import EntryRequestBody
from sigstore._internal.rekor.client import RekorClient
from sigstore.models import TransparencyLogEntry
from sigstore.oidc import IdentityToken
from sigstore_models.rekor import v1 as rekor

from provenance.adapters.embedded.desk import CertificateAsked, Desk, EntryAsked


class EmbeddedFulcio:
    """Stands where sigstore expects a FulcioClient; `signing_cert.post` is all it uses."""

    def __init__(self, desk: Desk, chain: list[Certificate]) -> None:
        self._desk = desk
        self._chain = chain

    @property
    def signing_cert(self) -> "EmbeddedFulcio":
        return self

    def post(
        self, request: CertificateSigningRequest, identity: IdentityToken
    ) -> FulcioCertificateSigningResponse:
        """Wait for a certificate."""
        asked = CertificateAsked(request, str(identity))
        self._desk.ask(asked)
        return FulcioCertificateSigningResponse(asked.answer.result(), self._chain)


class EmbeddedRekor(RekorClient):
    """A RekorClient that proposes the same entries and sends them nowhere."""

    def __init__(self, desk: Desk, url: str) -> None:
        super().__init__(url)
        self._desk = desk

    def create_entry(self, request: EntryRequestBody) -> TransparencyLogEntry:
        """Wait for the entry's place in the log."""
        proposed: dict[str, Any] = request
        asked = EntryAsked(proposed)
        self._desk.ask(asked)
        return TransparencyLogEntry(rekor.TransparencyLogEntry.from_dict(asked.answer.result()))
