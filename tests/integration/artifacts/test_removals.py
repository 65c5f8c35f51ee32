"""Removals: nothing is buried before its attestation is kept, whoever lies or comes between."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from artifacts.domain.holds import Reach
from artifacts.domain.lifecycle import BuildState
from artifacts.models import Artifact, Blob, DeclaredUse, Hold, Project, Tombstone, TrashedArtifact
from artifacts.queries.trash import removals_without_evidence
from artifacts.usecases.apply_retention import WEEK
from artifacts.usecases.collect_blobs import collect_blobs
from artifacts.usecases.create_project import create_project
from artifacts.usecases.empty_trash import empty_trash
from artifacts.usecases.lift_hold import lift_hold
from artifacts.usecases.place_hold import Holding, place_hold
from artifacts.usecases.remove_artifact import remove_artifact
from artifacts.usecases.restore_artifact import Restoring, restore_trashed
from kernel.digest import Sha256
from kernel.outbox.models import OutboxEvent
from provenance.domain import slsa_v1
from provenance.domain.evidence import Expected, ExpectedRemoval, examine, examine_removal
from provenance.domain.removal import MOST_REMOVED, removed_name
from provenance.domain.statement import Subject, unverified_statement
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.models import Attestation, AttestationRequest, RequestState
from provenance.ports import Signed, SigningJob
from provenance.queries import oldest_removal_age, trust_root, trust_state
from provenance.usecases.attest_builds import Attestor
from tests.factories.actors import administrator, owner
from tests.factories.builds import NOW
from tests.factories.burying import ask, attest, bury, removal_attestations
from tests.factories.shelf import Kind, put
from tests.fakes.blob_store import MemoryBlobStore

TODAY = NOW + timedelta(days=20)
OVER = TODAY + WEEK
ATTESTED = Kind(predicate=slsa_v1.PREDICATE_TYPE)


@dataclass
class Signer:
    """The real one, which can be down, and can answer the jobs in another order."""

    real: Attestor
    is_down: bool = False
    is_turned: bool = False
    name: str = "test"
    batches_at_once: int = 1
    signed: int = 0

    def sign(self, jobs: Sequence[SigningJob]) -> list[Signed | SignerRefused | SignerUnavailable]:
        if self.is_down:
            raise SignerUnavailable(service="rekor", reason="timeout")
        self.signed += len(jobs)
        answers = self.real.signer.sign(jobs)
        return list(reversed(answers)) if self.is_turned else list(answers)


@pytest.fixture
def signer(project: Project, attestor: Attestor) -> Signer:  # noqa: ARG001 - the tables first
    return Signer(attestor)


@pytest.fixture
def desk(attestor: Attestor, signer: Signer) -> Attestor:
    return replace(attestor, signer=signer)


def removed(project: Project, kind: Kind = ATTESTED) -> TrashedArtifact:
    """What somebody removed; its window is over at `OVER`."""
    return remove_artifact(
        artifact=put(project, kind, first=NOW),
        reason="a secret is in it",
        trash=WEEK,
        actor=owner(project),
        now=TODAY,
    )


def place(project: Project, trashed: TrashedArtifact) -> Hold:
    holding = Holding(Reach(artifact=trashed.pk), "case")
    return place_hold(project=project, holding=holding, actor=owner(project), now=OVER)


def predicate_of(attestation: Attestation) -> dict[str, Any]:
    statement = unverified_statement(attestation.kept_bundle)
    assert statement is not None
    found: dict[str, Any] = statement["predicate"]
    return found


def test_leaves_a_tombstone_with_a_statement_that_names_everything(
    project: Project, desk: Attestor
) -> None:
    trashed = removed(project)

    assert bury(desk, OVER) == 1

    tombstone, attestation = Tombstone.objects.get(), removal_attestations().get()
    assert tombstone.attestation_id == attestation.pk
    assert tombstone.evidence_id is not None
    assert tombstone.was_published
    assert attestation.predicate_type == f"{settings.PUBLIC_URL}/predicates/removal/v1"
    assert predicate_of(attestation) == {
        "project": str(project.pk),
        "artifacts": [
            {
                "subject": f"{trashed.build_id}/dist/widget.tar",
                "artifact": str(trashed.pk),
                "build": str(trashed.build_id),
                "path": "dist/widget.tar",
                "sizeBytes": 100,
                "storedAt": "2026-11-21T08:00:00Z",
                "removedAt": trashed.removed_at.isoformat().replace("+00:00", "Z"),
                "removedBy": trashed.removed_by,
                "restorableUntil": OVER.isoformat().replace("+00:00", "Z"),
                "reason": "a secret is in it",
            }
        ],
    }


def test_signs_what_verifies_offline_and_is_no_evidence_of_a_build(
    project: Project, desk: Attestor
) -> None:
    trashed = removed(project)
    bury(desk, OVER)
    bundle = removal_attestations().get().kept_bundle
    root = trust_root(version=trust_state().trust_root_version)
    verification = desk.verifier.verify(bundle, trust_root=root)
    name = removed_name(build=trashed.build_id, path=trashed.path)
    subject = Subject(name, Sha256(trashed.sha256))

    said = examine_removal(verification, ExpectedRemoval(project.pk, subject, settings.PUBLIC_URL))
    as_build = Expected(project.scope, trashed.build_id, subject, settings.PUBLIC_URL)

    assert said.failed is None
    assert said.verified is not None
    refused = examine(verification, as_build).failed
    assert refused is not None
    assert refused.code == "unknown-predicate-type"


def test_keeps_everything_while_nobody_can_sign(
    project: Project, desk: Attestor, signer: Signer, store: MemoryBlobStore
) -> None:
    trashed, signer.is_down = removed(project), True

    assert bury(desk, OVER) == 0
    collect_blobs(inventory=store, now=OVER, grace=timedelta(0))

    waiting = AttestationRequest.objects.get(build_id=None)
    assert waiting.state == RequestState.PENDING
    assert waiting.last_error is not None
    assert waiting.last_error["service"] == "rekor"
    assert TrashedArtifact.objects.get(pk=trashed.pk).blob.state == "live"
    assert oldest_removal_age(now=OVER + timedelta(hours=1)) == timedelta(hours=1)
    signer.is_down = False
    assert bury(desk, OVER + timedelta(days=1)) == 1
    assert oldest_removal_age(now=OVER) == timedelta(0)


def test_asks_once_and_buries_once(project: Project, desk: Attestor, signer: Signer) -> None:
    removed(project)

    assert ask(OVER) == 1
    assert ask(OVER) == 0
    assert attest(desk, OVER) == 1
    assert attest(desk, OVER) == 0

    assert signer.signed == 1
    assert removal_attestations().count() == 1
    assert OutboxEvent.objects.filter(name="removal.requested").count() == 1


def test_keeps_what_was_put_on_hold_while_it_was_being_signed(
    project: Project, desk: Attestor
) -> None:
    held, other = removed(project), removed(project, replace(ATTESTED, path="b"))
    ask(OVER)
    hold = place(project, held)

    assert attest(desk, OVER) == 0

    assert TrashedArtifact.objects.count() == 2
    assert not removal_attestations().exists()
    assert AttestationRequest.objects.get(build_id=None).state == RequestState.WITHDRAWN
    assert bury(desk, OVER) == 1
    assert Tombstone.objects.get().artifact_id == other.pk
    for person in (1, 2):
        lift_hold(hold=hold, persons=2, reason="x", actor=owner(project, person), now=OVER)
    assert bury(desk, OVER) == 1


def test_attests_nothing_of_what_was_restored_meanwhile(project: Project, desk: Attestor) -> None:
    trashed = removed(project)
    ask(OVER)
    place(project, trashed)
    restoring = Restoring("it was needed", WEEK)
    restore_trashed(trashed=trashed, restoring=restoring, actor=owner(project), now=OVER)

    assert attest(desk, OVER) == 0

    assert Artifact.objects.get().pk == trashed.pk
    assert not removal_attestations().exists()
    assert not Tombstone.objects.exists()


def test_keeps_what_came_into_use_meanwhile(project: Project, desk: Attestor) -> None:
    trashed = removed(project)
    ask(OVER)
    DeclaredUse.objects.create(
        project=project,
        sha256=trashed.sha256,
        kind="release",
        identity="x",
        document={},
        protects=True,
        declared_at=OVER,
        declared_by="the test",
    )

    assert attest(desk, OVER) == 0
    assert TrashedArtifact.objects.get().removal_id is None


def test_keeps_what_was_published_and_has_no_evidence(project: Project, desk: Attestor) -> None:
    removed(project, Kind(path="a"))
    refused = removed(project, Kind(path="b", outcome=BuildState.REFUSED))

    assert bury(desk, OVER) == 1

    tombstone = Tombstone.objects.get()
    assert (tombstone.artifact_id, tombstone.was_published) == (refused.pk, False)
    assert tombstone.evidence_id is None
    assert removals_without_evidence(now=OVER) == 1
    assert removals_without_evidence(now=TODAY) == 0


def test_cannot_have_a_tombstone_without_attestation_or_evidence(
    project: Project, desk: Attestor
) -> None:
    removed(project)
    bury(desk, OVER)

    with pytest.raises(IntegrityError, match="attestation_id"):
        _copy_without("attestation_id")
    with pytest.raises(IntegrityError, match="no_evidence_saved_no_deletion"):
        _copy_without("evidence_id")


def _copy_without(column: str) -> None:
    fields = Tombstone._meta.concrete_fields  # noqa: SLF001 - Django documents it
    left_out = ("artifact_id", "path", column)
    columns = ", ".join(f"{one.column}" for one in fields if one.column not in left_out)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO tombstone (artifact_id, path, {columns})
            SELECT gen_random_uuid(), 'other', {columns} FROM tombstone"""  # noqa: S608 - our words
        )


def test_is_signed_at_the_address_that_the_store_has_by_then(
    project: Project, desk: Attestor
) -> None:
    removed(project)
    empty_trash(base_url="https://former.test", now=OVER)

    assert attest(desk, OVER) == 1

    attestation = removal_attestations().get()
    assert attestation.predicate_type == f"{settings.PUBLIC_URL}/predicates/removal/v1"


def test_lets_no_unreadable_request_keep_the_others_waiting(
    project: Project, desk: Attestor
) -> None:
    removed(project)
    ask(OVER)
    AttestationRequest.objects.filter(build_id=None).update(statement=b"{}")
    readable = removed(project, replace(ATTESTED, path="b"))

    assert bury(desk, OVER) == 1

    assert Tombstone.objects.get().artifact_id == readable.pk
    stuck = AttestationRequest.objects.get(build_id=None, state=RequestState.PENDING)
    assert (stuck.last_error or {})["code"] == "malformed-statement"


def test_keeps_no_bundle_of_another_removal(
    project: Project, desk: Attestor, signer: Signer
) -> None:
    other = create_project(
        actor=administrator(), organization="acme", slug="other", is_public=False, now=NOW
    )
    removed(project)
    removed(other)
    turned = replace(desk, signer=replace(signer, is_turned=True))

    assert bury(turned, OVER) == 0

    assert not removal_attestations().exists()
    waiting = AttestationRequest.objects.filter(build_id=None)
    errors = set(waiting.values_list("last_error__reason", flat=True))
    assert errors == {"subject-mismatch"}
    assert bury(desk, OVER + timedelta(days=1)) == 2


def test_says_much_in_few_statements_and_never_of_two_projects(
    project: Project, desk: Attestor
) -> None:
    other = create_project(
        actor=administrator(), organization="acme", slug="other", is_public=False, now=NOW
    )
    for place_of, count in ((project, MOST_REMOVED + 1), (other, 2)):
        for number in range(count):
            removed(place_of, Kind(path=f"{number}", outcome=BuildState.REFUSED, bytes_of="same"))

    assert bury(desk, OVER) == MOST_REMOVED + 3

    sizes = {
        (one.project_id, len(predicate_of(one)["artifacts"])) for one in removal_attestations()
    }
    assert sizes == {(project.pk, MOST_REMOVED), (project.pk, 1), (other.pk, 2)}
    assert not Blob.objects.exclude(state="live").exists()


def test_names_the_rule_that_ended_it(project: Project, desk: Attestor) -> None:
    trashed = removed(project)
    TrashedArtifact.objects.filter(pk=trashed.pk).update(
        reason="", rule="old", level=2, scope_id=project.pk, version=3, expired_at=TODAY
    )

    bury(desk, OVER)

    [said] = predicate_of(removal_attestations().get())["artifacts"]
    assert said["rule"] == {
        "name": "old",
        "level": "project",
        "scope": str(project.pk),
        "version": 3,
    }
    assert "reason" not in said
    assert json.dumps(said).count("expiredAt") == 1
