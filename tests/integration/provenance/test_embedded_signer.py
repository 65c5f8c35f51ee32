"""The embedded signer's keys, trees and failures; what every signer does is in tests/contracts."""

import base64
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from provenance.adapters.embedded import trees
from provenance.adapters.embedded.generations import create_keys, open_generation
from provenance.adapters.embedded.keys import KeyEncryptionKey
from provenance.adapters.embedded.rotation import EmbeddedGenerations
from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.trust_root import trusted_root
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.evidence import VerifiedBundle
from provenance.errors import (
    NoSuchTree,
    NoSuchTreeSize,
    RotationRefused,
    SignerUnavailable,
    TrustRootMissing,
)
from provenance.models import LogCheckpoint, LogLeaf, LogTree, SealedKey
from provenance.ports import Signed
from provenance.usecases.start_new_log import start_new_log
from tests import log_audit
from tests.environment import DEFAULTS
from tests.factories.actors import administrator
from tests.factories.signing_jobs import STORE, created_keys, job, key_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def kek_file(tmp_path: Path) -> Path:
    return created_keys(tmp_path)


@pytest.fixture
def signer(kek_file: Path) -> EmbeddedSigner:
    return EmbeddedSigner(key_file=kek_file, issuer=STORE)


def bundles(signer: EmbeddedSigner, count: int) -> list[bytes]:
    answers = signer.sign([job(number) for number in range(count)])
    return [answer.bundle for answer in answers if isinstance(answer, Signed)]


def verified(bundle: bytes, *, root: bytes | None = None) -> VerifiedBundle:
    answer = SigstoreVerifier().verify(bundle, trust_root=root or trusted_root())
    assert answer.verified is not None, answer.steps[-1]
    return answer.verified


def reason(signer: EmbeddedSigner) -> object:
    with pytest.raises(SignerUnavailable) as refused:
        signer.sign([job()])
    return refused.value.facts["reason"]


def test_refuses_to_sign_without_a_key_file() -> None:
    assert reason(EmbeddedSigner(key_file=None, issuer=STORE)) == "no-attestor-key"


def test_refuses_a_key_file_that_is_not_there(tmp_path: Path) -> None:
    missing = EmbeddedSigner(key_file=tmp_path / "missing", issuer=STORE)

    assert reason(missing) == "unreadable-attestor-key"


@pytest.mark.parametrize("content", [b"", b"not base64!", base64.b64encode(b"x" * 31)])
def test_refuses_a_key_file_of_another_shape(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)

    assert reason(EmbeddedSigner(key_file=file, issuer=STORE)) == "malformed-attestor-key"


def test_refuses_to_sign_before_keys_were_created(tmp_path: Path) -> None:
    signer = EmbeddedSigner(key_file=key_file(tmp_path), issuer=STORE)

    assert reason(signer) == "no-signing-keys"
    with pytest.raises(TrustRootMissing):
        trusted_root()


def test_refuses_another_key_encryption_key(kek_file: Path, tmp_path: Path) -> None:
    another = key_file(tmp_path, "another")

    assert bundles(EmbeddedSigner(key_file=kek_file, issuer=STORE), 1)
    assert reason(EmbeddedSigner(key_file=another, issuer=STORE)) == "wrong-attestor-key"
    with pytest.raises(SignerUnavailable):
        create_keys(KeyEncryptionKey.read(another), base_url=STORE, now=timezone.now())


def test_refuses_a_sealed_key_in_the_place_of_another(signer: EmbeddedSigner) -> None:
    log, ct = SealedKey.objects.get(name="log-1"), SealedKey.objects.get(name="ct-1")
    assert bundles(signer, 1)

    SealedKey.objects.filter(name="log-1").update(sealed=ct.sealed, public=ct.public)

    assert reason(signer) == "wrong-attestor-key"
    SealedKey.objects.filter(name="log-1").update(sealed=log.sealed)
    assert reason(signer) == "foreign-sealed-key"


def test_keeps_no_private_key_in_the_open(kek_file: Path) -> None:
    generation = open_generation(KeyEncryptionKey.read(kek_file))
    secret = generation.statements.key.private.private_numbers().private_value.to_bytes(32, "big")

    assert all(secret not in bytes(row.sealed) for row in SealedKey.objects.all())


def test_creates_keys_once(kek_file: Path) -> None:
    before = trusted_root()

    create_keys(KeyEncryptionKey.read(kek_file), base_url=STORE, now=timezone.now())

    assert trusted_root() == before
    assert sorted(SealedKey.objects.values_list("name", flat=True)) == [
        "ct-1",
        "intermediate-1",
        "log-1",
        "root-1",
    ]


@pytest.mark.django_db(transaction=True)
def test_creates_one_set_of_keys_when_processes_start_at_once(tmp_path: Path) -> None:
    kek = KeyEncryptionKey.read(key_file(tmp_path))
    together = threading.Barrier(4)

    def start() -> bytes:
        try:
            together.wait()
            create_keys(kek, base_url=STORE, now=timezone.now())
            return trusted_root()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        roots = {future.result() for future in [pool.submit(start) for _ in range(4)]}

    assert len(roots) == 1
    assert SealedKey.objects.count() == 4


def test_logs_each_leaf_where_the_bundle_says(signer: EmbeddedSigner) -> None:
    signed = bundles(signer, 5) + bundles(signer, 3)

    leaves = log_audit.audit(signed, key=log_audit.log_key(trusted_root()))

    stored = LogLeaf.objects.filter(tree="log-1").order_by("index").values_list("body", flat=True)
    assert [bytes(body) for body in stored] == leaves
    assert LogTree.objects.get(name="log-1").size == LogTree.objects.get(name="ct-1").size == 8


def test_appends_to_each_tree_once_a_batch(signer: EmbeddedSigner) -> None:
    bundles(signer, 40)

    sizes = LogCheckpoint.objects.order_by("tree", "size").values_list("tree", "size")
    assert list(sizes) == [("ct-1", 32), ("ct-1", 40), ("log-1", 32), ("log-1", 40)]


def test_logs_no_statement_only_its_hash(signer: EmbeddedSigner) -> None:
    bundles(signer, 1)

    (body,) = LogLeaf.objects.filter(tree="log-1").values_list("body", flat=True)
    assert set(json.loads(bytes(body))["spec"]) == {"envelopeHash", "payloadHash", "signatures"}


def test_dates_certificates_and_entries_by_the_clock_it_was_given(kek_file: Path) -> None:
    moment = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=20)
    signer = EmbeddedSigner(key_file=kek_file, issuer=STORE, clock=lambda: moment)

    (bundle,) = bundles(signer, 1)

    entry = json.loads(bundle)["verificationMaterial"]["tlogEntries"][0]
    assert int(entry["integratedTime"]) == int(moment.timestamp())


def test_proves_that_the_log_only_grew(signer: EmbeddedSigner) -> None:
    leaves = log_audit.audit(
        [bundle for count in (3, 1, 7) for bundle in bundles(signer, count)],
        key=log_audit.log_key(trusted_root()),
    )
    history = log_audit.roots(leaves)

    for first in range(1, 11):
        proof = trees.consistency_proof("log-1", first, 11)
        log_audit.check_consistency(first, 11, history[first], history[11], proof)


def test_proves_inclusion_in_every_size(signer: EmbeddedSigner) -> None:
    leaves = log_audit.audit(bundles(signer, 6), key=log_audit.log_key(trusted_root()))
    history = log_audit.roots(leaves)

    for size in range(3, 7):
        path = tuple(trees.inclusion_proof("log-1", 2, size))
        log_audit.check_inclusion(log_audit.Seen(2, leaves[2], size, history[size], path, ""))


def test_serves_the_newest_checkpoint_without_the_key(signer: EmbeddedSigner) -> None:
    with pytest.raises(NoSuchTree):
        trees.checkpoint("log-1")
    bundles(signer, 2)
    signed = bundles(signer, 1)

    note = trees.checkpoint("log-1")

    assert note == log_audit.read_bundle(signed[0]).note
    assert log_audit.check_checkpoint(note, key=log_audit.log_key(trusted_root()))[1] == 3


@pytest.mark.parametrize(("first", "second"), [(3, 2), (0, 4), (-1, 2)])
def test_refuses_proofs_between_sizes_it_has_not_had(
    signer: EmbeddedSigner, first: int, second: int
) -> None:
    bundles(signer, 3)

    with pytest.raises(NoSuchTreeSize):
        trees.consistency_proof("log-1", first, second)
    assert trees.consistency_proof("log-1", 2, 3)


def test_refuses_proofs_of_a_tree_that_is_not_there() -> None:
    with pytest.raises(NoSuchTree):
        trees.inclusion_proof("log-9", 0, 1)


def restarted(kek_file: Path, *, now: datetime) -> None:
    generations = EmbeddedGenerations(key_file=kek_file, base_url=STORE)
    start_new_log(generations=generations, actor=administrator(), now=now)


def test_starts_a_new_history_after_a_restore(tmp_path: Path) -> None:
    start = timezone.now() - timedelta(seconds=50)  # tokens of a minute must still be valid
    kek_file = created_keys(tmp_path, now=start)

    def signer_at(seconds: int) -> EmbeddedSigner:
        moment = start + timedelta(seconds=seconds)
        return EmbeddedSigner(key_file=kek_file, issuer=STORE, clock=lambda: moment)

    (old,) = bundles(signer_at(10), 1)

    restarted(kek_file, now=start + timedelta(seconds=20))

    (new,) = bundles(signer_at(30), 1)
    assert verified(old).log_key_id != verified(new).log_key_id
    assert log_audit.read_bundle(old).note.startswith("store.test - 1\n1\n")
    assert log_audit.read_bundle(new).note.startswith("store.test - 2\n1\n")


def test_refuses_to_append_to_a_retired_tree(kek_file: Path, signer: EmbeddedSigner) -> None:
    bundles(signer, 1)
    restarted(kek_file, now=timezone.now())

    with pytest.raises(SignerUnavailable, match="log-retired"):
        trees.append("log-1", [b"late"], clock=timezone.now)
    assert trees.append("log-2", [b"in time"], clock=timezone.now).size == 1


@pytest.fixture
def a_locked_log() -> Iterator[psycopg.Connection]:
    """Somebody else holds the log's row, and our connection does not wait for long."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    with psycopg.connect(DEFAULTS["STRONGROOM_DATABASE_URL"]) as other:
        other.execute("SELECT 1 FROM log_tree WHERE name = 'log-1' FOR UPDATE")
        yield other
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")


@pytest.mark.django_db(transaction=True)
def test_says_that_the_database_failed_and_leaves_no_thread_behind(
    signer: EmbeddedSigner, a_locked_log: psycopg.Connection
) -> None:
    before = set(threading.enumerate())

    assert reason(signer) == "database"

    assert set(threading.enumerate()) <= before  # what others had running may have ended
    a_locked_log.rollback()
    (bundle,) = bundles(signer, 1)
    assert verified(bundle).log_index == 0


def test_starts_no_new_log_without_the_key_of_the_old(kek_file: Path, tmp_path: Path) -> None:
    with pytest.raises(SignerUnavailable):
        restarted(key_file(tmp_path, "another"), now=timezone.now())
    assert LogTree.objects.filter(retired_at=None).count() == 2
    restarted(kek_file, now=timezone.now())
    assert LogTree.objects.filter(retired_at=None).count() == 2
    assert LogTree.objects.count() == 4


def test_starts_no_new_log_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(RotationRefused, match="no-signing-keys"):
        restarted(key_file(tmp_path), now=timezone.now())
