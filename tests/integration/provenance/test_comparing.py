"""Evidence that is not what was recorded is found, however it came to that."""

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from artifacts.domain.evidence_clock import KeptBy
from artifacts.models import Project
from artifacts.queries.ending import Amount
from config.owner import as_owner
from kernel.audit.models import AuditRecord
from kernel.audit.record import record
from provenance.models import Attestation, EvidenceEnd
from provenance.queries.comparing import ENDED, EvidenceDifference, evidence_differences
from tests.factories.actors import administrator
from tests.factories.endings import NOW, end, kept, long_gone
from tests.factories.shelves import make_project

# The owner's connection, too.
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "migrator"])
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def project(db: None) -> Project:  # noqa: ARG001 - the tables first
    return make_project()


def test_that_was_changed_is_kept_and_found(project: Project) -> None:
    one = long_gone(project)
    with as_owner():
        Attestation.objects.filter(pk=one.attestation.pk).update(bundle=b"something else")

    assert (end(), kept()) == (Amount(), {KeptBy.DIFFERENCE: 1})
    assert list(evidence_differences()) == [
        EvidenceDifference(f"attestation {one.attestation.pk}", "the bundle was changed")
    ]
    with pytest.raises(CommandError, match="not as it was recorded"):
        call_command("audit", "evidence")


def test_that_was_emptied_is_found_without_its_end(project: Project) -> None:
    one = long_gone(project)

    with as_owner(), transaction.atomic():
        with pytest.raises(IntegrityError, match="bundle_or_its_end"), transaction.atomic():
            Attestation.objects.filter(pk=one.attestation.pk).update(bundle=None)
        with connection.cursor() as sql:
            sql.execute("ALTER TABLE attestation DROP CONSTRAINT bundle_or_its_end")
        Attestation.objects.filter(pk=one.attestation.pk).update(bundle=None)
        [found] = evidence_differences()
        transaction.set_rollback(True)

    assert found.of == f"attestation {one.attestation.pk}"
    assert found.what == "the bundle is gone, and nothing says that it ended"


def test_that_ended_is_found_where_the_audit_trail_says_otherwise(
    project: Project, capsys: Capture
) -> None:
    long_gone(project)
    end()
    said = EvidenceEnd.objects.get()

    call_command("audit", "evidence")
    assert "1 bundles are as they were recorded; 1 have ended" in capsys.readouterr().out
    with as_owner(), transaction.atomic():
        EvidenceEnd.objects.update(bundles=2)
        [counted] = evidence_differences()
        EvidenceEnd.objects.update(bundles=1, manifest_sha256="f" * 64)
        [listed] = evidence_differences()
        EvidenceEnd.objects.update(manifest_sha256="")
        AuditRecord.objects.filter(action="evidence.end").delete()
        [untold] = evidence_differences()
        transaction.set_rollback(True)

    assert {counted.of, listed.of, untold.of} == {f"end {said.pk}"}
    assert counted.what == "other bundles ended: 1 in the trail, 2 here, 1 found"
    assert listed.what == "another list was saved"
    assert untold.what == "the audit trail does not have it"


def test_an_end_that_only_the_trail_has_is_found(project: Project) -> None:
    """What somebody can write with a server's rights."""
    record(administrator(), ENDED, str(project), now=NOW, end="an end", bundles=1)

    [found] = evidence_differences()

    assert found == EvidenceDifference("end an end", "the audit trail has it, and nothing else")
