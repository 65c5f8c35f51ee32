"""The embedded signer gets other keys: known before they sign, and old bundles stay good.

The forgeries first: whoever kept the old keys signs after their end.
"""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from django.utils import timezone

from kernel.audit.models import AuditRecord
from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.trust_root import trusted_root
from provenance.domain.evidence import StepName
from provenance.errors import RotationRefused, SignerUnavailable
from provenance.models import SignerGeneration
from provenance.ports import Signed
from provenance.queries import signer_generations
from tests.factories.embedded_store import (
    DAY,
    FIRST_DAY,
    EmbeddedStore,
    failed_step,
    published,
)
from tests.factories.signing_jobs import STORE, job, key_file

pytestmark = pytest.mark.django_db

REPOSITORY: Final = Path(__file__).resolve().parents[3]


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore.create(tmp_path)


def test_refuses_what_is_signed_with_old_keys_after_their_end(store: EmbeddedStore) -> None:
    thief = store.thief()
    late = thief.sign(at=timezone.now() + timedelta(seconds=5), payload=b"late")
    before = failed_step(late)

    store.rotate()

    assert before is None
    assert failed_step(late) is StepName.CHAIN


def test_refuses_what_is_signed_with_announced_keys_before_their_time(
    store: EmbeddedStore,
) -> None:
    store.announce(at=timezone.now())
    announced = published()
    SignerGeneration.objects.update(believed_from=FIRST_DAY)
    store.adopt()  # at once, and against what was published

    early = store.sign()

    assert failed_step(early) is None
    assert failed_step(early, root=announced) is StepName.CHAIN


def test_verifies_old_and_new_bundles_with_the_one_trust_root(store: EmbeddedStore) -> None:
    old = store.sign()

    store.rotate()
    new = store.sign()

    assert failed_step(old) is None
    assert failed_step(new) is None
    assert published() == trusted_root()


def test_verifies_new_bundles_with_the_root_that_was_published_before(store: EmbeddedStore) -> None:
    first = published()
    store.announce()
    between = published()
    old = store.sign()

    store.adopt()
    new = store.sign()

    assert failed_step(new, root=between) is None
    assert failed_step(old, root=between) is None
    assert failed_step(new, root=first) is StepName.CHAIN


def test_signs_as_before_until_the_keys_are_adopted(store: EmbeddedStore) -> None:
    store.announce()

    store.sign()

    assert [(one.is_announced, one.statements) for one in signer_generations()] == [
        (False, 1),
        (True, 0),
    ]


def test_adopts_no_keys_before_they_are_believed(store: EmbeddedStore) -> None:
    store.announce(at=timezone.now())

    with pytest.raises(RotationRefused, match="keys-not-believed-yet") as refused:
        store.adopt()

    assert 0 < int(str(refused.value.facts["retry_after_seconds"])) <= 7 * 86400 + 1
    assert failed_step(store.sign()) is None
    assert signer_generations()[0].is_used


def test_adopts_nothing_that_was_not_announced(store: EmbeddedStore) -> None:
    with pytest.raises(RotationRefused, match="no-keys-announced"):
        store.adopt()


def test_announces_one_generation_however_often_it_is_asked(store: EmbeddedStore) -> None:
    first = store.announce(at=FIRST_DAY + DAY)
    root = published()

    again = store.announce(at=FIRST_DAY + 2 * DAY, notice=30 * DAY)

    assert (first, again) == (2, 2)
    assert published() == root


@pytest.mark.parametrize("notice", [timedelta(hours=23), timedelta(days=366)])
def test_announces_neither_too_late_nor_too_early(store: EmbeddedStore, notice: timedelta) -> None:
    with pytest.raises(RotationRefused, match="1 to 365 days"):
        store.announce(at=timezone.now(), notice=notice)


def test_rotates_any_number_of_times(store: EmbeddedStore) -> None:
    bundles = [store.sign()]
    for day in (2, 6, 10):
        store.announce(at=FIRST_DAY + day * DAY, notice=DAY)
        store.adopt()
        bundles.append(store.sign())

    assert [failed_step(bundle) for bundle in bundles] == [None] * 4
    assert [one.is_used for one in signer_generations()] == [False, False, False, True]


WORKER: Final = """
import sys
import django
django.setup()
from pathlib import Path
from provenance.adapters.embedded.signer import EmbeddedSigner
from tests.factories.signing_jobs import STORE, job
signer = EmbeddedSigner(key_file=Path(sys.argv[1]), issuer=STORE)
for _line in sys.stdin:
    print(signer.sign([job()])[0].bundle.decode(), flush=True)
"""


def signed_by(worker: "subprocess.Popen[str]") -> bytes:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write("go\n")
    worker.stdin.flush()
    return worker.stdout.readline().encode()


@pytest.mark.django_db(transaction=True)
def test_is_noticed_by_a_worker_that_goes_on_running(store: EmbeddedStore) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(store.key_file)],
        cwd=REPOSITORY,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        old = signed_by(worker)
        store.rotate()
        new = signed_by(worker)
        worker.communicate()

    assert failed_step(old) is None
    assert failed_step(new) is None
    assert [one.statements for one in signer_generations()] == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_refuses_a_batch_that_began_with_the_old_keys(store: EmbeddedStore) -> None:
    """Its certificate would be of one generation and its place in the log of another."""
    store.announce()
    is_adopted: list[bool] = []

    def clock() -> datetime:
        if not is_adopted:
            is_adopted.append(True)
            store.adopt()
        return timezone.now()

    signer = EmbeddedSigner(key_file=store.key_file, issuer=STORE, clock=clock)
    with pytest.raises(SignerUnavailable, match="log-retired"):
        signer.sign([job()])

    (answer,) = signer.sign([job()])
    assert isinstance(answer, Signed)
    assert failed_step(answer.bundle) is None


def test_believes_everything_that_was_signed_where_the_clock_is_ahead(store: EmbeddedStore) -> None:
    store.announce()
    old = store.sign()

    store.adopt(at=timezone.now() - timedelta(seconds=30))

    assert failed_step(old) is None


def test_wants_the_workers_key(store: EmbeddedStore, tmp_path: Path) -> None:
    strange = EmbeddedStore(key_file(tmp_path, "strange"))

    with pytest.raises(SignerUnavailable, match="wrong-attestor-key"):
        strange.announce(at=FIRST_DAY)
    with pytest.raises(SignerUnavailable, match="wrong-attestor-key"):
        strange.end(1, until=timezone.now())
    store.announce()
    before = published()
    with pytest.raises(SignerUnavailable, match="wrong-attestor-key"):
        strange.adopt(at=timezone.now())

    assert published() == before
    assert signer_generations()[0].is_used


def test_tells_who_rotated(store: EmbeddedStore) -> None:
    store.rotate()
    store.end(1, until=FIRST_DAY)

    told = AuditRecord.objects.filter(action__startswith="signer-keys.").order_by("at")
    assert [(one.action, one.target) for one in told] == [
        ("signer-keys.announce", "2"),
        ("signer-keys.adopt", "3"),
        ("signer-keys.end", "1"),
    ]
    used = [
        {name: one["is_used"] for name, one in record.facts[when].items()}
        for record in told
        for when in ("before", "after")
    ]
    first, second = "generation 1", "generation 2"
    announced = {first: True, second: False}
    assert used[:4] == [{first: True}, announced, announced, {first: False, second: True}]
    ends = [told[2].facts[when][first]["believed_until"] for when in ("before", "after")]
    assert ends[0] != ends[1] == FIRST_DAY.isoformat()
