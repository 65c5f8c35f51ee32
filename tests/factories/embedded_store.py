"""A store with the embedded signer whose first keys are a month old, and how they are rotated."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from django.utils import timezone

from provenance.adapters.embedded.rotation import EmbeddedGenerations
from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.signer_keys import EmbeddedSignerKeys
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.evidence import StepName
from provenance.ports import Signed
from provenance.queries import trust_root, trust_state
from provenance.usecases.end_signer_keys import Ended, end_signer_keys
from provenance.usecases.initialise_signer import initialise_signer
from provenance.usecases.rotate_signer_keys import adopt_signer_keys, announce_signer_keys
from tests.factories.actors import administrator
from tests.factories.bundles import Instance
from tests.factories.signing_jobs import STORE, job, key_file
from tests.factories.stolen_keys import Thief

DAY: Final = timedelta(days=1)
FIRST_DAY: Final = datetime.now(UTC).replace(microsecond=0) - 30 * DAY
NEVER: Final = FIRST_DAY - DAY


@dataclass(frozen=True)
class EmbeddedStore:
    """Its keys lie under this file."""

    key_file: Path

    @classmethod
    def create(cls, folder: Path) -> "EmbeddedStore":
        """Keys made and published on the first day."""
        store = cls(key_file(folder))
        initialise_signer(keys=store.keys, actor=administrator(), now=FIRST_DAY)
        return store

    @property
    def keys(self) -> EmbeddedSignerKeys:
        return EmbeddedSignerKeys(key_file=self.key_file, base_url=STORE)

    @property
    def generations(self) -> EmbeddedGenerations:
        return EmbeddedGenerations(key_file=self.key_file, base_url=STORE)

    def announce(self, *, at: datetime = FIRST_DAY, notice: timedelta = 7 * DAY) -> int:
        return announce_signer_keys(
            generations=self.generations, notice=notice, actor=administrator(), now=at
        )

    def adopt(self, *, at: datetime | None = None) -> int:
        return adopt_signer_keys(
            generations=self.generations, actor=administrator(), now=at or timezone.now()
        )

    def end(self, generation: int, *, until: datetime) -> Ended:
        return end_signer_keys(
            generations=self.generations,
            generation=generation,
            until=until,
            actor=administrator(),
            now=timezone.now(),
        )

    def rotate(self) -> None:
        """Announced on the first day, adopted just now."""
        self.announce()
        self.adopt()

    def sign(self) -> bytes:
        (answer,) = EmbeddedSigner(key_file=self.key_file, issuer=STORE).sign([job()])
        assert isinstance(answer, Signed)
        return answer.bundle

    def thief(self) -> Thief:
        """Whoever copies what signs at this moment."""
        return Thief.of_used_keys(self.key_file)


def published() -> bytes:
    return trust_root(version=trust_state().trust_root_version)


def failed_step(bundle: bytes, *, root: bytes | None = None) -> StepName | None:
    """Where the verifier refuses a bundle; None if it does not."""
    answer = SigstoreVerifier().verify(bundle, trust_root=root or published())
    return None if answer.verified is not None else answer.steps[-1].name


class KeysElsewhere:
    """Another instance whose keys the store publishes beside its own."""

    def __init__(self) -> None:
        self.root = Instance().trust_root()

    def create(self, *, now: datetime) -> None:
        """Nothing: they are not ours."""

    def signing_key(self, *, now: datetime) -> None:  # noqa: ARG002 - the port's signature
        return None

    def trusted_root(self) -> bytes:
        return self.root
