"""Four processes with 1,000 signatures each form one log history; else it would be noticed."""

import base64
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography import x509

from provenance.adapters.embedded import trees
from provenance.adapters.embedded.trust_root import trusted_root
from provenance.models import LogCheckpoint, LogLeaf
from tests import log_audit
from tests.factories.bundles import Instance, encoded
from tests.factories.signing_jobs import created_keys

WORKERS, SIGNATURES = 4, 1000


def sign_at_once(key_file: Path, folder: Path, *, workers: int, count: int) -> list[bytes]:
    """Every bundle that so many processes sign, started at the same moment."""
    outputs = [folder / f"bundles-{number}" for number in range(workers)]
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.signing_worker",
                str(key_file),
                f"worker {number}",
                str(count),
                str(output),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number, output in enumerate(outputs)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.wait() for process in processes] == [0] * workers
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    return [line for output in outputs for line in output.read_bytes().splitlines()]


def certificate_of(bundle: bytes) -> x509.Certificate:
    raw = json.loads(bundle)["verificationMaterial"]["certificate"]["rawBytes"]
    return x509.load_der_x509_certificate(base64.b64decode(raw))


def recorded_precertificate(leaf: bytes) -> bytes:
    """The TBSCertificate in a MerkleTreeLeaf: after 47 bytes of header, before 2 of extensions."""
    return leaf[47:-2]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_forms_one_history_from_four_processes(tmp_path: Path) -> None:
    key_file = created_keys(tmp_path)

    bundles = sign_at_once(key_file, tmp_path, workers=WORKERS, count=SIGNATURES)

    root = trusted_root()
    leaves = log_audit.audit(bundles, key=log_audit.log_key(root))
    assert len(leaves) == WORKERS * SIGNATURES
    assert were_at_it_together(bundles)
    stored = LogLeaf.objects.filter(tree="log-1").order_by("index").values_list("body", flat=True)
    assert [bytes(body) for body in stored] == leaves
    check_certificate_log(bundles, root)
    check_stored_proofs(log_audit.roots(leaves))


def were_at_it_together(bundles: list[bytes]) -> bool:
    """Whether every process signed something before any of them had finished."""
    indices = [log_audit.read_bundle(bundle).index for bundle in bundles]
    shares = [indices[n * SIGNATURES : (n + 1) * SIGNATURES] for n in range(WORKERS)]
    return max(map(min, shares)) < min(map(max, shares))


def check_certificate_log(bundles: list[bytes], root: bytes) -> None:
    """Every certificate was recorded, and every checkpoint is of the one tree of them."""
    stored = LogLeaf.objects.filter(tree="ct-1").order_by("index").values_list("body", flat=True)
    leaves = [bytes(body) for body in stored]
    recorded = sorted(recorded_precertificate(leaf) for leaf in leaves)
    assert recorded == sorted(certificate_of(one).tbs_precertificate_bytes for one in bundles)
    history = log_audit.roots(leaves)
    key = base64.b64decode(json.loads(root)["ctlogs"][0]["publicKey"]["rawBytes"])
    for note in LogCheckpoint.objects.filter(tree="ct-1").values_list("note", flat=True):
        _, size, signed_root = log_audit.check_checkpoint(note, key=key)
        assert history[size] == signed_root


def check_stored_proofs(history: list[bytes]) -> None:
    """Between all checkpoints that follow each other, the served proof convinces the auditor."""
    checkpoints = LogCheckpoint.objects.filter(tree="log-1").order_by("size")
    sizes = list(checkpoints.values_list("size", flat=True))
    assert sizes[-1] == len(history) - 1
    for first, second in pairwise(sizes):
        proof = trees.consistency_proof("log-1", first, second)
        log_audit.check_consistency(first, second, history[first], history[second], proof)
    newest = trees.checkpoint("log-1")
    assert newest.splitlines()[1] == str(sizes[-1])


@pytest.fixture
def audited() -> tuple[list[bytes], bytes]:
    """A small history that the auditor accepts, and its key."""
    instance = Instance()
    bundles = [encoded(bundle) for bundle in instance.history(5)]
    key = instance.log_key.spki
    assert len(log_audit.audit(bundles, key=key)) == 5
    return bundles, key


Audited = tuple[list[bytes], bytes]


def test_notices_a_missing_leaf(audited: Audited) -> None:
    bundles, key = audited

    with pytest.raises(log_audit.NotOneHistory, match="without gaps"):
        log_audit.audit(bundles[:2] + bundles[3:], key=key)


def test_notices_a_place_that_is_taken_twice(audited: Audited) -> None:
    bundles, key = audited

    with pytest.raises(log_audit.NotOneHistory, match="without gaps"):
        log_audit.audit([*bundles, bundles[0]], key=key)


def test_notices_a_fork_under_the_same_key() -> None:
    instance = Instance()
    bundles = [encoded(bundle) for bundle in instance.history(5)]
    fork = [encoded(bundle) for bundle in instance.history(5)]

    with pytest.raises(log_audit.NotOneHistory, match="no prefix"):
        log_audit.audit([*bundles[:3], *fork[3:]], key=instance.log_key.spki)


def test_notices_a_checkpoint_of_another_key(audited: Audited) -> None:
    bundles, _ = audited

    with pytest.raises(log_audit.NotOneHistory, match="somebody else"):
        log_audit.audit(bundles, key=Instance().log_key.spki)
