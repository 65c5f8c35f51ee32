"""Whoever ends evidence is killed with SIGKILL: the next one finishes, and nothing is lost."""

import json
import signal
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from artifacts.models import Project
from kernel.audit.models import AuditRecord
from provenance.adapters.evidence_directory import EvidenceDirectory
from provenance.models import Attestation, EvidenceEnd
from provenance.queries.comparing import evidence_differences
from provenance.usecases.save_bundles import save_bundles
from tests.factories.endings import DAYS, end, long_gone
from tests.factories.killed import killed_at

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "migrator"])
WORKER = f"""
import django, os, sys
os.environ["STRONGROOM_EVIDENCE_DAYS"] = "{DAYS}"
django.setup()
from django.core.management import call_command
call_command("end_evidence", "--apply", "--save=" + sys.argv[1])
"""
# Where it dies, and how many bundles have ended then.
POINTS = {
    "provenance.bundles-saved": 0,
    "artifacts.evidence-saved": 0,
    "artifacts.evidence-ending": 0,
    "artifacts.evidence-ended": 2,
}


@pytest.mark.parametrize("point", POINTS)
def test_is_finished_by_the_next(project: Project, tmp_path: Path, point: str) -> None:
    bundles = {long_gone(project, path).attestation.kept_bundle for path in ("a", "b")}
    folder = tmp_path / "copy"

    died = killed_at(point, tmp_path / "trigger", script=WORKER, argument=str(folder))
    ended = Attestation.objects.exclude(end=None).count()
    end(partial(save_bundles, copy=EvidenceDirectory(folder)))

    assert died == -signal.SIGKILL
    assert ended == POINTS[point]
    [said] = EvidenceEnd.objects.all()
    assert said.bundles == 2
    assert AuditRecord.objects.filter(action="evidence.end").count() == 1
    [manifest] = (folder / "manifests").iterdir()
    assert manifest.name == f"{said.manifest_sha256}.jsonl"
    assert sha256(manifest.read_bytes()).hexdigest() == said.manifest_sha256
    files = [json.loads(line)["file"] for line in manifest.read_text().splitlines()]
    assert {(folder / file).read_bytes() for file in files} == bundles
    assert len([one for one in (folder / "bundles").rglob("*") if one.is_file()]) == 2
    assert not list(evidence_differences())
