"""Whoever empties the trash is killed with SIGKILL: the next one finishes, and doubles nothing."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from artifacts.models import Project, Tombstone, TrashedArtifact
from artifacts.usecases.apply_retention import WEEK
from artifacts.usecases.remove_artifact import remove_artifact
from provenance.domain import slsa_v1
from provenance.models import AttestationRequest, RequestState
from provenance.usecases.attest_builds import LEASE, Attestor
from tests.factories.actors import owner
from tests.factories.builds import NOW
from tests.factories.burying import bury, removal_attestations
from tests.factories.shelf import Kind, put

ROOT = Path(__file__).resolve().parent.parent.parent.parent
TODAY = NOW + timedelta(days=20)
OVER = TODAY + WEEK
WORKER = """
import django, sys
from datetime import datetime
django.setup()
from provenance.wiring import attestor
from tests.factories.burying import bury
bury(attestor(), datetime.fromisoformat(sys.argv[1]))
"""
# Where it dies, and how many of the two are buried then.
POINTS = {
    "artifacts.asking-removal": 0,
    "artifacts.removal-asked": 0,
    "provenance.removal-claimed": 0,
    "provenance.logged": 0,
    "provenance.removal-signed": 0,
    "artifacts.burying": 0,
    "provenance.removal-recording": 0,
    "provenance.removal-recorded": 2,
}


@pytest.mark.parametrize("point", POINTS)
def test_is_finished_by_the_next(
    project: Project,
    attestor: Attestor,
    attestor_key_file: Path,
    tmp_path: Path,
    point: str,
) -> None:
    for path in ("a", "b"):
        remove_artifact(
            artifact=put(project, Kind(path=path, predicate=slsa_v1.PREDICATE_TYPE), first=NOW),
            reason="a secret is in it",
            trash=WEEK,
            actor=owner(project),
            now=TODAY,
        )

    died = killed_at(point, tmp_path / "trigger", attestor_key_file)
    buried = Tombstone.objects.count()
    signed = removal_attestations().count()
    bytes_left = TrashedArtifact.objects.filter(blob__state="live").count()
    bury(attestor, OVER + LEASE + timedelta(seconds=1))
    bury(attestor, OVER + 3 * LEASE)

    assert died == -signal.SIGKILL
    assert buried == POINTS[point]
    assert signed == min(buried, 1)
    assert bytes_left == 2 - buried
    assert Tombstone.objects.count() == 2
    assert not TrashedArtifact.objects.exists()
    [attestation] = removal_attestations()
    assert set(Tombstone.objects.values_list("attestation", flat=True)) == {attestation.pk}
    states = AttestationRequest.objects.filter(build_id=None).values_list("state", flat=True)
    assert list(states) == [RequestState.ATTESTED]


def killed_at(point: str, trigger: Path, key_file: Path) -> int:
    trigger.touch()
    finished = subprocess.run(
        [sys.executable, "-c", WORKER, OVER.isoformat()],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "STRONGROOM_ATTESTOR_KEY_FILE": str(key_file),
            "STRONGROOM_FAULT_POINTS": f"{point}={trigger}",
        },
        check=False,
        timeout=120,
    )
    return finished.returncode
