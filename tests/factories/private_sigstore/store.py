"""A store that signs with the private instance: its trust root published, its builds recorded."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.utils import timezone

from kernel.actor import Actor, Grant, Permission
from provenance.adapters.sigstore_instance.configuration import InstanceFiles
from provenance.adapters.sigstore_instance.line import Limits
from provenance.adapters.sigstore_instance.signer import SigstoreSigner
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.transparency import DEFAULT, Transparency
from provenance.ports import Signer
from provenance.queries import identity_keys
from provenance.usecases.attest_builds import Attestor as Attesting
from provenance.usecases.attest_builds import Endings, attest_builds
from provenance.usecases.initialise_signer import initialise_signer
from tests.factories.private_sigstore.attestor import Attestor, Sigstore

OPERATOR = Actor("operator", frozenset({Grant(Permission.ADMINISTER)}))
# Long enough for a busy machine, short enough to wait for.
IMPATIENT = Limits(connect_seconds=1, silent_seconds=1, batch_seconds=2)


@dataclass
class Store:
    """One store; what became of its builds is in `published`."""

    attestor: Attestor
    folder: Path
    published: list[UUID] = field(default_factory=list)

    @classmethod
    def create(cls, sigstore: Sigstore, folder: Path) -> "Store":
        attestor = sigstore.attestor(folder)
        initialise_signer(keys=attestor.keys, actor=OPERATOR, now=timezone.now())
        return cls(attestor, folder)

    @property
    def spkis(self) -> list[bytes]:
        """The public keys of the attestor's tokens."""
        return identity_keys()

    def signer(
        self,
        elsewhere: Mapping[str, str] | None = None,
        *,
        transparency: Transparency = DEFAULT,
        limits: Limits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> SigstoreSigner:
        """The real signer, with some services (`fulcio`, …) at other addresses."""
        instance = self.attestor.instance
        config = instance.signing_config_with(self.folder / "signing_config.json", elsewhere or {})
        files = InstanceFiles(instance.trusted_root, config)
        return self.attestor.signer(
            transparency=transparency, limits=limits, files=files, monotonic=monotonic
        )

    def files(self, **others: Path) -> InstanceFiles:
        return replace(self.attestor.files, **others)  # type: ignore[arg-type]  # paths alone

    def attest(self, signer: Signer, *, after: timedelta = timedelta(0)) -> int:
        """One run of the worker, at a later time perhaps."""
        attesting = Attesting(
            signer=signer, verifier=SigstoreVerifier(), base_url=self.attestor.issuer
        )
        return attest_builds(
            attestor=attesting,
            endings=Endings(publish=self._publish, refuse=self._refuse),
            clock=lambda: timezone.now() + after,
        )

    def _publish(self, *, builds: Collection[UUID], now: datetime) -> None:
        assert now.tzinfo is not None
        self.published.extend(builds)

    def _refuse(self, *, build_id: UUID, reason: Mapping[str, object], now: datetime) -> None:
        raise AssertionError(f"build {build_id} was refused at {now}: {reason}")
