"""Opening a download …"""

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from prometheus_client import REGISTRY

from artifacts.domain.lifecycle import BuildState
from artifacts.errors import (
    ArtifactNotFound,
    ArtifactNotPublished,
    BuildNotFound,
    ProjectNotFound,
)
from artifacts.models import Artifact, Build, Project
from artifacts.queries import (
    Place,
    artifacts_of,
    builds_after,
    visible_artifact,
    visible_artifact_at,
    visible_build,
    visible_project,
)
from artifacts.queries.positions import Position
from artifacts.tasks import (
    attest_builds_task,
    attest_confirmed_jobs_task,
    collect_litter_task,
)
from artifacts.usecases.open_download import open_download
from artifacts.usecases.publish_file import Incoming, publish_file
from artifacts.wiring import endings
from kernel.actor import ANONYMOUS, Actor, Grant, Permission, PermissionMissing
from provenance.domain.policy import Enforcement
from provenance.domain.report import Verdict
from provenance.errors import PolicyNotMet, TrustRootMissing
from provenance.models import TrustState
from provenance.usecases.attest_builds import attest_builds
from provenance.usecases.set_policy import set_policy
from provenance.usecases.verify_subject import Judge
from provenance.wiring import verifier
from tests.factories.actors import administrator, reader, uploader
from tests.factories.attestor import new_attestor
from tests.fakes.blob_store import MemoryBlobStore

STRANGER = Actor("stranger", frozenset({Grant(Permission.READ, uuid4())}))


@dataclass(frozen=True, slots=True)
class Case:
    """An uploaded file of a private project."""

    project: Project
    artifact: Artifact

    def open(self, actor: Actor) -> Verdict:
        return open_download(
            actor=actor,
            artifact=visible_artifact(actor=actor, artifact=self.artifact.pk),
            judge=Judge(verifier=verifier(), key_is_shared=True),
            base_url=settings.PUBLIC_URL,
            now=timezone.now(),
        )


@pytest.fixture
def sealed(project: Project, store: MemoryBlobStore) -> Case:
    published = publish_file(
        actor=uploader(project),
        place=Place("acme", "widget", "dist/widget"),
        incoming=Incoming(chunks=[b"the widget"], declared=None),
        store=store,
        clock=timezone.now,
    )
    return Case(project, published.artifact)


@pytest.fixture
def published(sealed: Case, tmp_path: Path) -> Case:
    attest_builds(attestor=new_attestor(tmp_path), endings=endings(), clock=timezone.now)
    return sealed


def demand_provenance(case: Case, enforcement: Enforcement) -> None:
    with transaction.atomic():
        set_policy(
            scope=case.project.scope,
            actor=administrator(),
            now=timezone.now(),
            enforcement=enforcement,
            accepts_release=False,
        )


def counted(verdict: str, reason: str) -> float:
    labels = {"verdict": verdict, "reason": reason}
    return REGISTRY.get_sample_value("strongroom_verifications_total", labels) or 0


def test_allows_what_meets_the_policy(published: Case) -> None:
    before = counted("allow", "none")

    verdict = published.open(reader(published.project))

    assert verdict.allowed
    assert counted("allow", "none") == before + 1


def test_refuses_with_the_whole_decision(published: Case) -> None:
    demand_provenance(published, Enforcement.ENFORCE)
    before = counted("deny", "release-only")

    with pytest.raises(PolicyNotMet) as refused:
        published.open(reader(published.project))

    assert refused.value.facts["reason"] == "release-only"
    decision = refused.value.facts["decision"]
    assert isinstance(decision, dict)
    assert len(decision["attestations"]) == 1
    assert counted("deny", "release-only") == before + 1


def test_serves_and_says_so_where_the_project_observes(
    published: Case, caplog: pytest.LogCaptureFixture
) -> None:
    demand_provenance(published, Enforcement.OBSERVE)

    verdict = published.open(reader(published.project))

    assert (verdict.allowed, verdict.serves, verdict.reason) == (False, True, "release-only")
    assert [record.message for record in caplog.records] == ["policy not met"]


def test_waits_for_the_build(sealed: Case) -> None:
    with pytest.raises(ArtifactNotPublished) as refused:
        sealed.open(reader(sealed.project))

    assert refused.value.facts["state"] == BuildState.SEALED


def test_fails_closed_without_a_trust_root(published: Case) -> None:
    TrustState.objects.all().delete()

    with pytest.raises(TrustRootMissing):
        published.open(reader(published.project))


def test_is_for_readers(published: Case) -> None:
    grants = frozenset({Grant(Permission.UPLOAD, published.project.pk)})
    with pytest.raises(PermissionMissing):
        published.open(Actor("only uploads", grants))

    Project.objects.filter(pk=published.project.pk).update(is_public=True)

    assert published.open(ANONYMOUS).allowed


@pytest.mark.parametrize("actor", [ANONYMOUS, STRANGER], ids=["anonymous", "stranger"])
def test_finds_nothing_for_a_stranger(published: Case, actor: Actor) -> None:
    artifact, build = published.artifact, published.artifact.build
    with pytest.raises(ArtifactNotFound) as by_id:
        visible_artifact(actor=actor, artifact=artifact.pk)
    with pytest.raises(ArtifactNotFound) as by_path:
        visible_artifact_at(actor=actor, build=build, path=artifact.path)
    with pytest.raises(BuildNotFound) as of_build:
        visible_build(actor=actor, build=build.pk)
    with pytest.raises(ProjectNotFound) as of_project:
        visible_project(actor=actor, organization="acme", project="widget")

    for refused in (by_id.value, by_path.value, of_build.value, of_project.value):
        assert refused.facts == {}


def test_finds_everything_for_a_reader(published: Case) -> None:
    actor, artifact = reader(published.project), published.artifact
    build = visible_build(actor=actor, build=artifact.build_id, project=published.project)

    assert build.state == BuildState.PUBLISHED
    assert visible_artifact_at(actor=actor, build=build, path="dist/widget") == artifact
    assert artifacts_of(build) == [artifact]
    for path in ("absent", "../x", "a\x00b"):
        with pytest.raises(ArtifactNotFound):
            visible_artifact_at(actor=actor, build=build, path=path)


def test_finds_a_build_only_in_its_own_project(published: Case) -> None:
    other = Project.objects.create(
        organization=published.project.organization,
        slug="other",
        created_at=published.project.created_at,
    )

    with pytest.raises(BuildNotFound):
        visible_build(actor=administrator(), build=published.artifact.build_id, project=other)


def test_shows_no_build_that_is_still_open(sealed: Case) -> None:
    Build.objects.update(state=BuildState.OPEN)
    actor = reader(sealed.project)

    assert builds_after(None, project=sealed.project, limit=10) == []
    with pytest.raises(BuildNotFound):
        visible_build(actor=actor, build=sealed.artifact.build_id)
    with pytest.raises(ArtifactNotFound):
        visible_artifact(actor=actor, artifact=sealed.artifact.pk)


def test_lists_builds_behind_a_position(sealed: Case) -> None:
    build = sealed.artifact.build
    project = sealed.project

    assert builds_after(None, project=project, limit=10) == [build]
    assert builds_after(Position(build.opened_at, build.pk), project=project, limit=10) == []


@pytest.mark.usefixtures("project")
def test_has_tasks_that_may_run_with_nothing_to_do() -> None:
    attest_builds_task(later="ignored")
    attest_confirmed_jobs_task(later="ignored")
    collect_litter_task(later="ignored")

    assert Build.objects.count() == 0
