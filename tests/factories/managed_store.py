"""A store that signs with a managed key: its trust root published, its builds recorded."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils import timezone

from kernel.digest import Sha256
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.build_facts import Witnessed
from provenance.domain.transparency import DEFAULT, Transparency
from provenance.models import AttestationRequest
from provenance.ports import Signer
from provenance.usecases.attest_builds import Attestor, Endings, attest_builds
from provenance.usecases.initialise_signer import initialise_signer
from tests.factories.facts import witnessed
from tests.factories.managed_keys import KeyStore
from tests.factories.private_sigstore.store import OPERATOR
from tests.factories.requests import DIGEST, requested

FACTS: Final = witnessed()


@dataclass
class Store:
    """One store; what became of its builds is in `published`."""

    keys: KeyStore
    published: list[UUID] = field(default_factory=list)

    def initialise(self) -> "Store":
        initialise_signer(keys=self.keys.keys, actor=OPERATOR, now=timezone.now())
        return self

    def attested(
        self,
        signer: Signer | None = None,
        *,
        facts: Witnessed | None = FACTS,
        digest: Sha256 = DIGEST,
        transparency: Transparency = DEFAULT,
    ) -> AttestationRequest:
        """One build of one file, signed and verified by the worker as always."""
        request = requested(facts, digests=[digest])
        attesting = Attestor(
            signer=signer or self.keys.signer(),
            verifier=SigstoreVerifier(),
            base_url=self.keys.base_url,
            elsewhere=dict.fromkeys(
                self.keys.witnesses.transparencies - {DEFAULT}, signer or self.keys.signer()
            ),
        )
        attest_builds(
            attestor=attesting,
            endings=Endings(
                publish=self._publish,
                refuse=self._refuse,
                transparencies=lambda *, projects: dict.fromkeys(projects, transparency),
            ),
            clock=timezone.now,
        )
        request.refresh_from_db()
        return request

    def _publish(self, *, builds: Collection[UUID], now: datetime) -> None:
        assert now.tzinfo is not None
        self.published.extend(builds)

    def _refuse(self, *, build_id: UUID, reason: Mapping[str, object], now: datetime) -> None:
        raise AssertionError(f"build {build_id} was refused at {now}: {reason}")
