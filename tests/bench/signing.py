"""Builds signed per second, by the store and by the bare instance, in turns.

    python -m pytest --capture=no tests/bench/signing.py

Both drive the same private Sigstore (tests/factories/private_sigstore), 32 at once. Bare is
sigstore-python alone: token, key, certificate, timestamp and log entry for each statement. The
store does what one process of its worker does besides: it claims requests, writes statements,
verifies each bundle and records it. Medians, of the rates and of the ratio within each round,
because the machine may be busy with other things.
"""

import os
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from django.utils import timezone
from sigstore import dsse
from sigstore.models import SigningConfig, TrustedRoot
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext

from kernel.digest import Sha256
from provenance.adapters.sigstore_instance.identity_tokens import StoreIdentities
from provenance.models import Attestation
from provenance.ports import SigningJob
from provenance.usecases.attest_builds import BATCH
from tests.factories.facts import witnessed
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.store import Store
from tests.factories.requests import requested
from tests.factories.signing_jobs import job

# Enough that neither's first and last second count for much: the log publishes once a second.
STATEMENTS: Final = 8 * BATCH
ROUNDS: Final = 5


class Bare:
    """sigstore-python with clients of its own, kept open, one set a thread."""

    def __init__(self, store: Store) -> None:
        attestor = store.attestor
        self._instance = attestor.instance
        self._mint = StoreIdentities(key_file=attestor.key_file, issuer=attestor.issuer).open()
        self._local = threading.local()

    def run(self, pool: ThreadPoolExecutor) -> float:
        jobs = [job(number) for number in range(STATEMENTS)]
        began = time.perf_counter()
        list(pool.map(self._sign, jobs))
        return STATEMENTS / (time.perf_counter() - began)

    def _sign(self, one: SigningJob) -> None:
        token = IdentityToken(self._mint(one, timezone.now()))
        with self._context().signer(token) as signer:
            signer.sign_dsse(dsse.Statement(one.statement))

    def _context(self) -> SigningContext:
        found: SigningContext | None = getattr(self._local, "context", None)
        if found is None:
            config = SigningConfig.from_file(str(self._instance.signing_config))
            root = TrustedRoot.from_file(str(self._instance.trusted_root))
            found = self._local.context = SigningContext(
                fulcio=config.get_fulcio(),
                rekor=config.get_tlogs()[0],
                trusted_root=root,
                tsa_clients=config.get_tsas(),
            )
        return found


def by_the_store(store: Store) -> float:
    """What a worker does with builds that were sealed before."""
    for number in range(STATEMENTS):
        requested(witnessed(run_id=str(number)), digests=[Sha256(f"{number:064x}")])
    before = Attestation.objects.count()
    signer = store.signer()
    began = time.perf_counter()
    store.attest(signer)
    seconds = time.perf_counter() - began
    assert Attestation.objects.count() == before + STATEMENTS
    return STATEMENTS / seconds


@dataclass(frozen=True)
class Rates:
    """One round: statements per second."""

    store: float
    bare: float


def compare(sigstore: Sigstore, folder: Path, *, rounds: int) -> Iterator[Rates]:
    """So many rounds in turns, after one to warm up; who begins changes.

    Needs a database of its own, whose rows other connections see.
    """
    store = Store.create(sigstore, folder)
    bare = Bare(store)
    with ThreadPoolExecutor(BATCH) as pool:
        bare.run(pool)
        by_the_store(store)
        for number in range(rounds):
            if number % 2:
                first = bare.run(pool)
                yield Rates(by_the_store(store), first)
            else:
                ours = by_the_store(store)
                yield Rates(ours, bare.run(pool))


def summed_up(rates: Sequence[Rates]) -> str:
    """The medians, and that of the rounds' own ratios."""
    ratio = statistics.median(one.store / one.bare for one in rates)
    return (
        f"medians of {len(rates)} x {STATEMENTS}, {BATCH} at once, load {os.getloadavg()[0]:.1f}:"
        f" store {statistics.median(one.store for one in rates):.1f}/s,"
        f" bare {statistics.median(one.bare for one in rates):.1f}/s, ratio {ratio:.2f}"
    )


@pytest.mark.timeout(1800)
@pytest.mark.django_db(transaction=True)
def test_compares(sigstore: Sigstore, tmp_path: Path) -> None:
    rates = []
    for one in compare(sigstore, tmp_path, rounds=ROUNDS):
        rates.append(one)
        print(f"store {one.store:6.1f}/s  bare {one.bare:6.1f}/s", flush=True)  # noqa: T201 - a report
    print(summed_up(rates))  # noqa: T201 - a report
