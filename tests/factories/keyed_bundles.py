"""Bundles of managed keys with the trust root that verifies them, to be forged from."""

import json
from dataclasses import dataclass, replace
from typing import Any

from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.evidence import Verification
from provenance.domain.signing_keys import SigningKey
from provenance.domain.trust_document import TrustDocument
from provenance.ports import Signed
from tests.factories.managed_keys import KeyStore
from tests.factories.signing_jobs import job

Bundle = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A bundle and the trust root that verifies it."""

    bundle: Bundle
    trust: TrustDocument

    @property
    def key(self) -> SigningKey:
        return self.trust.signing_keys[0]

    def listed(self, **changed: Any) -> "Case":
        keys = (replace(self.key, **changed),)
        return replace(self, trust=replace(self.trust, signing_keys=keys))

    def verify(self) -> Verification:
        raw = json.dumps(self.bundle).encode()
        return SigstoreVerifier().verify(raw, trust_root=self.trust.to_json())

    def failure(self) -> tuple[str, str]:
        verification = self.verify()
        assert verification.verified is None
        *passed, failed = verification.steps
        assert all(step.passed for step in passed)
        return failed.name, failed.code


def made(store: KeyStore, number: int = 0) -> Case:
    (answer,) = store.signer().sign([job(number)])
    assert isinstance(answer, Signed), answer
    return Case(json.loads(answer.bundle), store.document)


def material(bundle: Bundle) -> dict[str, Any]:
    held: dict[str, Any] = bundle["verificationMaterial"]
    return held
