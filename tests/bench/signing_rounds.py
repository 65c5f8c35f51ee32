"""What tests/bench/signing.py measures, once there are a database and an instance."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import psutil
from django.utils import timezone
from sigstore import dsse
from sigstore.models import SigningConfig, TrustedRoot
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext

from artifacts import wiring
from artifacts.models import Build
from artifacts.queries import Place
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from artifacts.usecases.publish_file import Incoming, publish_file
from provenance.adapters.sigstore_instance.identity_tokens import StoreIdentities
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.ports import SigningJob
from provenance.usecases.attest_builds import BATCH, Attestor, attest_builds
from tests.bench.signing import Rate, Round
from tests.environment import SCRATCH
from tests.factories.actors import administrator, job
from tests.factories.facts import witnessed
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.store import Store
from tests.factories.signing_jobs import job as signing_job

# Enough that neither's first and last second count for much: the log publishes once a second.
STATEMENTS: Final = 8 * BATCH
ORGANIZATION: Final = "acme"
PROJECT: Final = "widget"


class Bare:
    """sigstore-python with clients of its own, kept open, one set a thread."""

    def __init__(self, store: Store, pool: ThreadPoolExecutor) -> None:
        attestor = store.attestor
        self._instance = attestor.instance
        self._mint = StoreIdentities(key_file=attestor.key_file, issuer=attestor.issuer).open()
        self._pool = pool
        self._local = threading.local()

    def run(self) -> Rate:
        """Token, key, certificate, timestamp and log entry for each statement; nothing else."""
        jobs = [signing_job(number) for number in range(STATEMENTS)]
        return _rated(lambda: list(self._pool.map(self._sign, jobs)))

    def _sign(self, one: SigningJob) -> None:
        token = IdentityToken(self._mint(one, timezone.now()))
        with self._context().signer(token) as signer:
            signer.sign_dsse(dsse.Statement(one.statement))

    def _context(self) -> SigningContext:
        found: SigningContext | None = getattr(self._local, "context", None)
        if found is None:
            config = SigningConfig.from_file(str(self._instance.signing_config))
            found = self._local.context = SigningContext(
                fulcio=config.get_fulcio(),
                rekor=config.get_tlogs()[0],
                trusted_root=TrustedRoot.from_file(str(self._instance.trusted_root)),
                tsa_clients=config.get_tsas(),
            )
        return found


class OneWorker:
    """One process of the store's worker: it claims sealed builds and publishes them."""

    def __init__(self, store: Store) -> None:
        self._attestor = Attestor(
            signer=store.signer(), verifier=SigstoreVerifier(), base_url=store.attestor.issuer
        )
        self._numbers = itertools.count(1)
        create_organization(actor=administrator(), slug=ORGANIZATION, now=timezone.now())
        self._project = create_project(
            actor=administrator(),
            organization=ORGANIZATION,
            slug=PROJECT,
            is_public=False,
            now=timezone.now(),
        )

    def run(self) -> Rate:
        """From sealed to published: statement, signature, verification, record, publication."""
        for _ in range(STATEMENTS):
            self._seal(next(self._numbers))
        rate = _rated(
            lambda: attest_builds(
                attestor=self._attestor, endings=wiring.endings(), clock=timezone.now
            )
        )
        left = Build.objects.exclude(state="published").count()
        if left:
            raise RuntimeError(f"{left} builds are not published")
        return rate

    def _seal(self, number: int) -> None:
        publish_file(
            actor=job(self._project, witnessed(run_id=str(number))),
            place=Place(ORGANIZATION, PROJECT, f"dist/widget-{number}.txt"),
            incoming=Incoming(chunks=iter([b"widget %d\n" % number]), declared=None),
            store=wiring.blob_store(),
            clock=timezone.now,
        )


def take_turns(sigstore: Sigstore, *, rounds: int) -> Iterator[Round]:
    """So many rounds, after one to warm up; who begins changes."""
    store = Store.create(sigstore, SCRATCH)
    with ThreadPoolExecutor(BATCH) as pool:
        bare, worker = Bare(store, pool), OneWorker(store)
        bare.run()
        worker.run()
        for number in range(rounds):
            if number % 2:
                first = bare.run()
                yield Round(worker.run(), first)
            else:
                ours = worker.run()
                yield Round(ours, bare.run())


def _rated(work: Callable[[], object]) -> Rate:
    before, began = _cpu_seconds(), time.perf_counter()
    work()
    seconds, after = time.perf_counter() - began, _cpu_seconds()
    cpu = {name: 1000 * (after[name] - before.get(name, 0)) / STATEMENTS for name in after}
    return Rate(STATEMENTS / seconds, cpu)


def _cpu_seconds() -> dict[str, float]:
    """User and system time of this process and all below it, those that have ended included."""
    spent: dict[str, float] = {}
    this = psutil.Process()
    for process in (this, *this.children(recursive=True)):
        try:
            name = "this process" if process == this else process.name()
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        parts = times.user, times.system, times.children_user, times.children_system
        spent[name] = spent.get(name, 0) + sum(parts)
    return spent
