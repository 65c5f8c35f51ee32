"""A signer over the private instance, with an identity key that its issuer answers for."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.utils import timezone

from provenance.adapters.sigstore_instance.configuration import Description, InstanceFiles
from provenance.adapters.sigstore_instance.identity_tokens import StoreIdentities
from provenance.adapters.sigstore_instance.line import Limits
from provenance.adapters.sigstore_instance.signer import SigstoreSigner
from provenance.adapters.sigstore_instance.signer_keys import SigstoreInstanceKeys
from provenance.domain.transparency import DEFAULT, Transparency
from provenance.queries import identity_keys
from tests.factories.private_sigstore.instance import Instance, running_instance
from tests.factories.private_sigstore.issuer import IdentityIssuer, serving_issuer
from tests.factories.signing_jobs import key_file


@dataclass(frozen=True)
class Attestor:
    """The instance as this store is configured for it."""

    instance: Instance
    key_file: Path
    issuer: str

    @property
    def files(self) -> InstanceFiles:
        return InstanceFiles(self.instance.trusted_root, self.instance.signing_config)

    @property
    def keys(self) -> SigstoreInstanceKeys:
        return SigstoreInstanceKeys(files=self.files, key_file=self.key_file, has_own_issuer=True)

    def signer(
        self,
        *,
        transparency: Transparency = DEFAULT,
        limits: Limits | None = None,
        files: Description | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> SigstoreSigner:
        return SigstoreSigner(
            files=files or self.files,
            identities=StoreIdentities(key_file=self.key_file, issuer=self.issuer),
            transparency=transparency,
            limits=limits,
            monotonic=monotonic,
        )


@dataclass(frozen=True)
class Sigstore:
    """The running instance and issuer; a test makes its attestor with `attestor`."""

    instance: Instance
    issuer: IdentityIssuer

    def attestor(self, folder: Path) -> Attestor:
        """Make an identity key, and let the issuer answer with it."""
        attestor = Attestor(self.instance, key_file(folder), self.issuer.url)
        attestor.keys.create(now=timezone.now())
        self.issuer.spkis = identity_keys()
        return attestor


@contextmanager
def running_sigstore(folder: Path) -> Iterator[Sigstore]:
    """All of it, below this folder."""
    with running_instance(folder) as instance, serving_issuer(instance.issuer) as issuer:
        yield Sigstore(instance, issuer)
