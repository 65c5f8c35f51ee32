"""The store's identity issuer where Fulcio looks for it, answered with the product's documents."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from provenance.domain.identity_issuer import discovery_document, key_set
from tests.factories.private_sigstore.serving import Answer, Request, serving


@dataclass(slots=True)
class IdentityIssuer:
    """Answers with the keys that a test has made last; without any it knows nothing."""

    url: str
    spkis: Sequence[bytes] = ()

    def answer(self, request: Request) -> Answer:
        if not self.spkis:
            return Answer.json({}, 404)
        match request.path:
            case "/.well-known/openid-configuration":
                return Answer.json(discovery_document(issuer=self.url))
            case "/.well-known/jwks.json":
                return Answer.json(key_set(*self.spkis))
            case _:
                return Answer.json({}, 404)


@contextmanager
def serving_issuer(url: str) -> Iterator[IdentityIssuer]:
    issuer = IdentityIssuer(url)
    with serving(issuer.answer, port=urlsplit(url).port or 0):
        yield issuer
