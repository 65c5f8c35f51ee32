"""Evidence ends when its time is over and nothing keeps it: saved first, and by the owner alone."""

import json
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, connection
from django.db.transaction import TransactionManagementError

from artifacts.domain.declarations import Kind as Use
from artifacts.domain.evidence_clock import EvidenceRunUnderWay, KeptBy
from artifacts.domain.holds import Reach
from artifacts.domain.patterns import Pattern
from artifacts.models import Artifact, DeclaredUse, Project, TrashedArtifact
from artifacts.queries.ending import Amount
from artifacts.usecases.declare_use import declare_use
from artifacts.usecases.end_evidence import BATCH, Ending, end_evidence
from config.owner import as_owner
from kernel.actor import ANONYMOUS, Unauthenticated
from kernel.audit.models import AuditRecord
from provenance.adapters.evidence_directory import EvidenceDirectory
from provenance.errors import EvidenceNotSaved
from provenance.models import Attestation, AttestationRequest, EvidenceEnd, RequestState
from provenance.queries.comparing import evidence_differences
from provenance.usecases.end_bundles import Cause, end_bundles
from provenance.usecases.save_bundles import Saved, save_bundles, save_nothing
from tests.factories import legal_holds
from tests.factories.actors import administrator
from tests.factories.endings import DAYS, FIRST, NOW, OVER, end, has_ended, kept, long_gone
from tests.factories.graves import ATTESTED, REMOVAL, Gone, beside, bury_row, gone, trash_row
from tests.factories.shelf import put

# The owner's connection, too.
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "migrator"])
YOUNG = OVER + timedelta(seconds=1)


class Meanwhile:
    """Something happens while the first batch is being saved."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self.happens: Callable[[], object] | None = happens
        self.saved: list[set[UUID]] = []

    def __call__(self, *, builds: Collection[UUID]) -> Saved:
        self.saved.append(set(builds))
        found = save_nothing(builds=builds)
        if self.happens is not None:
            happens, self.happens = self.happens, None
            happens()
        return found


def test_is_saved_and_then_ended_and_says_so(project: Project, tmp_path: Path) -> None:
    one = long_gone(project)
    bundle = one.attestation.kept_bundle

    ended = end(partial(save_bundles, copy=EvidenceDirectory(tmp_path / "copy")))

    one.attestation.refresh_from_db()
    said = EvidenceEnd.objects.get()
    assert (
        ended == Amount(1, 1, len(bundle)) == Amount(said.builds, said.bundles, said.bundle_bytes)
    )
    assert (one.attestation.bundle, one.attestation.end) == (None, said)
    assert one.attestation.bundle_sha256 == sha256(bundle).hexdigest()
    assert one.attestation.subjects.count() == 1
    assert AttestationRequest.objects.get(build_id=one.tombstone.build_id).statement is None
    assert (said.days, said.ended_by, said.ended_at) == (DAYS, administrator().name, NOW)
    manifest = (tmp_path / f"copy/manifests/{said.manifest_sha256}.jsonl").read_bytes()
    assert sha256(manifest).hexdigest() == said.manifest_sha256
    line = json.loads(manifest)
    assert (tmp_path / "copy" / line["file"]).read_bytes() == bundle
    assert line["sha256"] == one.attestation.bundle_sha256
    assert line["attestation"] == str(one.attestation.pk)
    record = AuditRecord.objects.get(action="evidence.end")
    assert record.target == "acme/widget"
    assert record.organization_id == project.organization_id
    assert record.facts["manifest_sha256"] == said.manifest_sha256
    assert record.facts["end"] == str(said.pk)
    assert not list(evidence_differences())


def test_is_readable_for_nobody_else_in_its_copy(project: Project, tmp_path: Path) -> None:
    long_gone(project)
    folder = tmp_path / "copy"

    end(partial(save_bundles, copy=EvidenceDirectory(folder)))

    found = list(folder.rglob("*"))
    assert {one.stat().st_mode & 0o777 for one in found if one.is_file()} == {0o600}
    assert {one.stat().st_mode & 0o777 for one in (folder, *found) if one.is_dir()} == {0o700}


def test_is_no_removals(project: Project) -> None:
    one = long_gone(project)
    end()

    removal = one.tombstone.attestation
    removal.refresh_from_db()
    assert removal.kept_bundle == REMOVAL
    forged = Attestation.objects.filter(pk=removal.pk)
    with as_owner(), pytest.raises(IntegrityError, match="removal_never_ends"):
        forged.update(bundle=None, end=EvidenceEnd.objects.get())


def test_is_done_by_nobody_with_the_rights_of_a_server(project: Project) -> None:
    one = long_gone(project)

    with pytest.raises(ProgrammingError, match="permission denied"):
        end_evidence(
            ending=Ending(DAYS, save_nothing),
            actor=administrator(),
            clock=lambda: NOW,
            told=lambda _so_far: None,
        )

    assert not has_ended(one)
    for forged in ("UPDATE attestation SET bundle = NULL", "DELETE FROM attestation"):
        with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as sql:
            sql.execute(forged)
    with pytest.raises(ProgrammingError, match="permission denied for table evidence_end"):
        EvidenceEnd.objects.create(
            **dict.fromkeys(("organization_id", "project_id"), uuid4()),
            **dict.fromkeys(("days", "builds", "bundles", "bundle_bytes"), 0),
            ended_at=NOW,
            ended_by="a forger",
        )


def test_is_done_for_no_stranger(project: Project) -> None:
    long_gone(project)

    with as_owner(), pytest.raises(Unauthenticated):
        end_evidence(
            ending=Ending(DAYS, save_nothing),
            actor=ANONYMOUS,
            clock=lambda: NOW,
            told=lambda _so_far: None,
        )


def test_waits_for_its_time(project: Project) -> None:
    young = gone(project, first=FIRST, buried_at=YOUNG)

    assert end() == Amount()
    assert not has_ended(young)
    assert kept() == {}


def test_stays_while_another_file_of_the_build_is_stored_or_in_the_trash(project: Project) -> None:
    first = put(project, replace(ATTESTED, path="a"), first=FIRST)
    other = beside(first, "b")
    attestation = Attestation.objects.get()
    one = Gone(bury_row(first, at=OVER), attestation)

    assert (end(), kept()) == (Amount(), {KeptBy.STORED: 1})
    trashed = trash_row(other, at=OVER)
    assert (end(), kept()) == (Amount(), {KeptBy.TRASH: 1})
    TrashedArtifact.objects.filter(pk=trashed.pk).delete()
    restored = beside(Artifact(**{**vars_of(trashed), "id": trashed.pk}), "b")
    assert (end(), kept()) == (Amount(), {KeptBy.STORED: 1})
    bury_row(restored, at=YOUNG)
    assert (end(), kept()) == (Amount(), {})
    assert not has_ended(one)


def vars_of(trashed: object) -> dict[str, object]:
    names = [one.attname for one in Artifact._meta.concrete_fields]  # noqa: SLF001 - Django documents it
    return {name: getattr(trashed, name) for name in names}


def test_stays_while_a_statement_is_still_to_come(project: Project) -> None:
    one = long_gone(project)
    request = AttestationRequest.objects.get(build_id=one.tombstone.build_id)
    second = AttestationRequest.objects.create(
        organization_id=request.organization_id,
        project_id=request.project_id,
        build_id=request.build_id,
        confirms=request,
        subjects=[],
        **dict.fromkeys(("opened_at", "sealed_at", "requested_at", "next_attempt_at"), NOW),
    )

    assert (end(), kept()) == (Amount(), {KeptBy.REQUEST: 1})
    AttestationRequest.objects.filter(pk=second.pk).update(state=RequestState.GIVEN_UP)
    assert end().bundles == 1


@pytest.mark.parametrize("what", ["artifact", "build", "paths", "project"])
def test_stays_while_what_is_gone_is_held(project: Project, what: str) -> None:
    one, other = long_gone(project), long_gone(project, "b")
    reach = {
        "artifact": Reach(artifact=one.tombstone.artifact_id),
        "build": Reach(build=one.tombstone.build_id),
        "paths": Reach(paths=Pattern("a*")),
        "project": Reach(),
    }[what]
    assert kept() == {None: 2}
    hold = legal_holds.hold(project, reach, now=NOW)

    end()

    assert not has_ended(one)
    assert has_ended(other) == (what != "project")
    legal_holds.lifted(hold, now=NOW)
    end()
    assert has_ended(one)


def test_stays_while_somebody_has_a_copy_outside(project: Project) -> None:
    one = long_gone(project)
    says = {
        "digest": f"sha256:{one.tombstone.sha256}",
        "registry_url": "https://registry.example.com",
    }
    declare = partial(declare_use, project=project, kind=Use.STORAGE, actor=administrator())

    declare(document={**says, "status": "active"}, now=NOW)
    assert (end(), kept()) == (Amount(), {KeptBy.USE: 1})
    declare(document={**says, "status": "deleted"}, now=NOW)
    end()
    assert has_ended(one)


def use(one: Gone) -> DeclaredUse:
    return DeclaredUse.objects.create(
        project=one.tombstone.project,
        sha256=one.tombstone.sha256,
        kind="storage",
        identity=str(uuid4()),
        document={},
        protects=True,
        declared_at=NOW,
        declared_by="the test",
    )


@pytest.mark.parametrize("how", ["held", "used"])
def test_stays_when_something_keeps_it_while_it_is_being_saved(project: Project, how: str) -> None:
    one, other = long_gone(project), long_gone(project, "b")
    reach = Reach(artifact=one.tombstone.artifact_id)
    happens = {
        "held": lambda: legal_holds.hold(project, reach, now=NOW),
        "used": lambda: use(one),
    }
    save = Meanwhile(happens[how])

    assert end(save).builds == 1

    assert not has_ended(one)
    assert has_ended(other)
    both, rest = save.saved
    assert both - rest == {one.tombstone.build_id}
    assert EvidenceEnd.objects.get().bundles == 1


def test_ends_nothing_when_all_of_it_is_kept_meanwhile(project: Project) -> None:
    one = long_gone(project)

    assert end(Meanwhile(lambda: legal_holds.hold(project, now=NOW))) == Amount()

    assert not has_ended(one)
    assert not EvidenceEnd.objects.exists()
    assert not AuditRecord.objects.filter(action="evidence.end").exists()


def test_stands_or_falls_with_what_says_so(project: Project) -> None:
    with pytest.raises(TransactionManagementError, match="joins"):
        end_bundles(scope=project.scope, saved=Saved(()), cause=Cause(DAYS, "x"), now=NOW)


def test_is_not_ended_where_it_cannot_be_saved(project: Project, tmp_path: Path) -> None:
    one, file = long_gone(project), tmp_path / "a file"
    file.touch()

    with pytest.raises(EvidenceNotSaved) as refused:
        end(partial(save_bundles, copy=EvidenceDirectory(file / "copy")))

    assert refused.value.facts["reason"] == "Not a directory"
    assert not has_ended(one)
    assert not AuditRecord.objects.filter(action="evidence.end").exists()


def test_ends_in_batches_and_once(project: Project) -> None:
    for number in range(BATCH + 1):
        long_gone(project, f"{number}")
    told: list[int] = []

    with as_owner():
        end_evidence(
            ending=Ending(DAYS, save_nothing),
            actor=administrator(),
            clock=lambda: NOW,
            told=lambda so_far: told.append(so_far.builds),
        )

    assert told == [BATCH, BATCH + 1]
    assert sorted(EvidenceEnd.objects.values_list("builds", flat=True)) == [1, BATCH]
    assert end() == Amount()


def test_is_ended_by_one_at_a_time(project: Project) -> None:
    one = long_gone(project)
    with pytest.raises(EvidenceRunUnderWay):
        end(Meanwhile(end))

    assert not has_ended(one)


def test_of_the_same_bytes_built_again_is_another(project: Project) -> None:
    kind = replace(ATTESTED, path="a", bytes_of="the same")
    bury_row(put(project, kind, first=FIRST), at=OVER)
    again = put(project, replace(kind, stored=800), first=FIRST)

    end()

    kept_one = Attestation.objects.get(build_id=again.build_id)
    assert kept_one.kept_bundle
    assert EvidenceEnd.objects.get().bundles == 1
