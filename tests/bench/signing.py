"""Builds signed per second, by the store and by the bare instance, in turns.

    python -m pytest --capture=no tests/bench/signing.py

Both drive the same private Sigstore (tests/factories/private_sigstore), 32 at once. Bare is
sigstore-python alone: token, key, certificate, timestamp and log entry for each statement. The
store does what its worker does besides: it claims requests, writes statements, verifies each
bundle and records it. Medians of seven rounds, and of the ratio within each round, because the
machine may be busy with other things.
"""

import os
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
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

STATEMENTS: Final = 4 * BATCH
ROUNDS: Final = 7


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


@pytest.mark.timeout(1800)
@pytest.mark.django_db(transaction=True)
def test_compares(sigstore: Sigstore, tmp_path: Path) -> None:
    """In turns, and who begins changes."""
    store = Store.create(sigstore, tmp_path)
    bare = Bare(store)
    rates: list[tuple[float, float]] = []
    with ThreadPoolExecutor(BATCH) as pool:
        bare.run(pool)  # warm up
        by_the_store(store)
        for number in range(ROUNDS):
            if number % 2:
                first = bare.run(pool)
                rates.append((by_the_store(store), first))
            else:
                mine = by_the_store(store)
                rates.append((mine, bare.run(pool)))
            print(f"store {rates[-1][0]:6.1f}/s  bare {rates[-1][1]:6.1f}/s")  # noqa: T201 - a report
    ratio = statistics.median(mine / theirs for mine, theirs in rates)
    print(  # noqa: T201 - a report
        f"medians of {ROUNDS} x {STATEMENTS}, {BATCH} at once, load {os.getloadavg()[0]:.1f}:"
        f" store {statistics.median(mine for mine, _ in rates):.1f}/s,"
        f" bare {statistics.median(theirs for _, theirs in rates):.1f}/s, ratio {ratio:.2f}"
    )
