"""A yank, a quarantine, or a name that is given once …"""

import threading
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.reasons import ReasonMissing
from artifacts.domain.retention import Level
from artifacts.errors import ArtifactQuarantined, NameImmutable
from artifacts.models import Artifact, Build, Project, Quarantine, Yank
from artifacts.queries import BuildFilter, Place, builds_after, visible_artifact
from artifacts.queries.browsing import newest_of_refs
from artifacts.queries.finding import (
    artifacts_at_path,
    artifacts_by_path,
    artifacts_with_digest,
    files_of,
    latest_published,
)
from artifacts.queries.retention import Holder
from artifacts.usecases.open_download import open_download
from artifacts.usecases.publish_file import Incoming, publish_file
from artifacts.usecases.quarantine_artifact import quarantine_artifact, release_artifact
from artifacts.usecases.remove_artifact import remove_artifact
from artifacts.usecases.restore_artifact import unyank_artifact, unyank_build
from artifacts.usecases.set_retention import RetentionChange, set_retention
from artifacts.usecases.yank_artifact import yank_artifact, yank_build
from kernel.actor import PermissionMissing
from kernel.audit.models import AuditRecord
from kernel.digest import Sha256
from provenance.wiring import judge
from tests.factories.actors import administrator, job, owner, reader, uploader
from tests.factories.builds import NOW, at_once, gated, send, start
from tests.factories.facts import witnessed
from tests.factories.shelf import Kind, put
from tests.fakes.blob_store import MemoryBlobStore

TODAY = NOW + timedelta(days=1)


def yank(artifact: Artifact, reason: str = "it is broken", **others: Any) -> Yank:
    said = {"actor": owner(artifact.project), **others}
    return yank_artifact(artifact=artifact, reason=reason, now=TODAY, **said)


def names_found(project: Project, artifact: Artifact) -> dict[str, bool]:
    """Where it is found."""
    path, ref = artifact.path, artifact.ref
    asked: dict[str, Any] = {"project": project, "limit": 9, "now": TODAY}
    return {
        "path": artifact in artifacts_at_path(path=path, **asked),
        "files": artifact in artifacts_by_path(prefix="", after=None, **asked),
        "latest": artifact in latest_published(path=path, ref=ref, **asked),
        "digest": artifact in artifacts_with_digest(digest=Sha256(artifact.blob.sha256), **asked),
        "build": artifact in files_of(artifact.build, prefix="", after="", limit=9, now=TODAY),
    }


def test_hides_it_from_all_but_who_names_it_exactly(project: Project) -> None:
    artifact = put(project, Kind(), first=NOW)
    assert all(names_found(project, artifact).values())

    yank(artifact)

    assert names_found(project, artifact) == {
        "path": False,
        "files": False,
        "latest": False,
        "digest": True,
        "build": True,
    }
    found = visible_artifact(actor=reader(project), artifact=artifact.pk)
    assert found.yank.reason == "it is broken"


def test_uncovers_the_one_before_it(project: Project) -> None:
    older = put(project, Kind(stored=0), first=NOW - timedelta(days=9))
    newer = put(project, Kind(stored=1), first=NOW - timedelta(days=9))
    asked: dict[str, Any] = {"path": newer.path, "ref": newer.ref, "limit": 9, "now": TODAY}

    yank(newer)

    assert latest_published(project=project, **asked) == [older]


def test_is_taken_back(project: Project) -> None:
    artifact = put(project, Kind(), first=NOW)
    yank(artifact)
    yank(artifact, "a second reason changes nothing")

    unyank_artifact(artifact=artifact, reason="it was fine", actor=owner(project), now=TODAY)
    unyank_artifact(artifact=artifact, reason="again", actor=owner(project), now=TODAY)

    assert all(names_found(project, artifact).values())
    told = AuditRecord.objects.filter(action__contains="yank").order_by("id")
    assert [(one.action, one.facts["reason"]) for one in told] == [
        ("artifact.yank", "it is broken"),
        ("artifact.unyank", "it was fine"),
    ]


def test_is_of_a_whole_build_too(project: Project, store: MemoryBlobStore) -> None:
    actor = job(project, witnessed())
    build = start(actor).build
    files = [send(actor, build, store, path).artifact for path in ("a", "b", "c")]
    yank(files[0])

    assert yank_build(build=build, reason="all", actor=owner(project), now=TODAY) == 2
    assert yank_build(build=build, reason="all", actor=owner(project), now=TODAY) == 0
    assert Yank.objects.get(pk=files[0].pk).reason == "it is broken"
    assert unyank_build(build=build, reason="no", actor=owner(project), now=TODAY) == 3
    assert not Yank.objects.exists()


def test_hides_a_build_of_which_nothing_is_left_but_from_who_names_it(
    project: Project, store: MemoryBlobStore
) -> None:
    actor = job(project, witnessed())
    build = start(actor).build
    files = [send(actor, build, store, path).artifact for path in ("a", "b")]
    Build.objects.update(state=BuildState.PUBLISHED, published_at=NOW, name="nightly")
    build.refresh_from_db()
    empty = Build.objects.create(
        project=project, origin="x", opened_by="y", state=BuildState.REFUSED, opened_at=NOW
    )

    def listed(**wanted: Any) -> list[Build]:
        return list(builds_after(None, project=project, limit=9, wanted=BuildFilter(**wanted)))

    def latest() -> list[Build]:
        return list(newest_of_refs(project=project, among=9, limit=9))

    yank(files[0])
    assert build in listed()
    assert latest() == [build]
    yank(files[1])

    assert listed() == [empty]
    assert listed(state=BuildState.PUBLISHED) == listed(ref=build.ref) == latest() == []
    named = ({"name": "nightly"}, {"commit": build.commit}, {"commit_prefix": build.commit[:6]})
    assert [listed(**one) for one in named] == [[build]] * 3

    unyank_artifact(artifact=files[0], reason="it was fine", actor=owner(project), now=TODAY)
    assert build in listed()
    assert latest() == [build]


def test_needs_an_administrator_and_a_reason(project: Project) -> None:
    artifact = put(project, Kind(), first=NOW)

    for actor in (reader(project), uploader(project)):
        with pytest.raises(PermissionMissing):
            yank(artifact, actor=actor)
        with pytest.raises(PermissionMissing):
            quarantine_artifact(artifact=artifact, reason="x", actor=actor, now=TODAY)
    with pytest.raises(ReasonMissing):
        yank(artifact, " ")

    assert not Yank.objects.exists()
    assert not Quarantine.objects.exists()


def test_of_a_quarantine_lets_nobody_have_the_bytes(project: Project) -> None:
    artifact = put(project, Kind(), first=NOW)
    for _again in range(2):
        quarantine_artifact(
            artifact=artifact, reason="a scanner says so", actor=owner(project), now=TODAY
        )

    with pytest.raises(ArtifactQuarantined) as refused:
        download(project, artifact)

    assert refused.value.facts["reason"] == "a scanner says so"
    assert refused.value.facts["lifted_by"] == "an administrator of acme/widget"
    release_artifact(artifact=artifact, reason="it was wrong", actor=owner(project), now=TODAY)
    assert not Quarantine.objects.exists()
    told = AuditRecord.objects.exclude(action__in=["organization.create", "project.create"])
    assert [one.action for one in told.order_by("id")] == [
        "artifact.quarantine",
        "artifact.release",
    ]


def download(project: Project, artifact: Artifact) -> None:
    open_download(
        actor=reader(project),
        artifact=visible_artifact(actor=reader(project), artifact=artifact.pk),
        judge=judge(),
        base_url="https://store.example",
        now=TODAY,
    )


VERSIONS = {"immutable": [{"name": "versions", "when": {"paths": ["dist/*"]}}]}


@pytest.fixture
def immutable(project: Project) -> Project:
    set_retention(
        holder=Holder.of_organization(project.organization),
        change=RetentionChange(VERSIONS),
        actor=administrator(),
        now=NOW,
    )
    return project


def bring(project: Project, store: MemoryBlobStore, data: bytes, run: str = "1") -> Artifact:
    return publish_file(
        actor=job(project, witnessed(run_id=run)),
        place=Place("acme", "widget", "dist/a"),
        incoming=Incoming(chunks=iter([data]), declared=None),
        store=store,
        clock=lambda: NOW,
    ).artifact


def test_that_is_immutable_is_given_to_one_digest_alone(
    immutable: Project, store: MemoryBlobStore
) -> None:
    first = bring(immutable, store, b"first")

    with pytest.raises(NameImmutable) as refused:
        bring(immutable, store, b"second", run="2")
    again = bring(immutable, store, b"first", run="3")

    assert refused.value.facts["rule"] == "versions"
    assert refused.value.facts["level"] == Level.ORGANIZATION.word
    assert refused.value.facts["of"] == "acme"
    assert refused.value.facts["existing_sha256"] == first.blob.sha256
    assert {one.pk for one in Artifact.objects.all()} == {first.pk, again.pk}


def test_that_is_immutable_is_given_to_one_of_those_who_ask_at_once(
    immutable: Project, store: MemoryBlobStore
) -> None:
    for number in range(5):
        gate = threading.Barrier(4)

        def ask(data: bytes, place: Place, gate: threading.Barrier = gate) -> Artifact:
            return publish_file(
                actor=job(immutable, witnessed(run_id=f"{place.path}-{data.hex()}")),
                place=place,
                incoming=Incoming(chunks=gated(data, gate), declared=None),
                store=store,
                clock=lambda: NOW,
            ).artifact

        place = Place("acme", "widget", f"dist/{number}")
        answers = at_once(*(partial(ask, bytes([one]), place) for one in range(4)))

        [winner] = [one for one in answers if isinstance(one, Artifact)]
        refused = [one for one in answers if isinstance(one, NameImmutable)]
        assert [one.facts["existing_sha256"] for one in refused] == [winner.blob.sha256] * 3
        assert Artifact.objects.filter(path=place.path).count() == 1


def test_that_is_immutable_stays_given_once_it_is_gone(
    project: Project, store: MemoryBlobStore
) -> None:
    first = bring(project, store, b"first")
    first.build.state = BuildState.PUBLISHED
    first.build.published_at = NOW
    first.build.save()
    remove_artifact(
        artifact=first, reason="x", trash=timedelta(days=7), actor=owner(project), now=NOW
    )
    set_retention(
        holder=Holder.of_project(project),
        change=RetentionChange(VERSIONS),
        actor=administrator(),
        now=NOW,
    )

    with pytest.raises(NameImmutable):
        bring(project, store, b"second", run="2")


def test_that_is_immutable_is_free_where_its_build_was_refused(
    immutable: Project, store: MemoryBlobStore
) -> None:
    first = bring(immutable, store, b"first")
    first.build.state = BuildState.REFUSED
    first.build.save()

    assert bring(immutable, store, b"second", run="2").pk != first.pk


def test_that_is_immutable_is_neither_yanked_nor_removed(immutable: Project) -> None:
    artifact = put(immutable, Kind(), first=NOW)

    for act in (
        lambda: yank(artifact),
        lambda: yank_build(build=artifact.build, reason="x", actor=owner(immutable), now=TODAY),
        lambda: remove_artifact(
            artifact=artifact,
            reason="x",
            trash=timedelta(days=7),
            actor=owner(immutable),
            now=TODAY,
        ),
    ):
        with pytest.raises(NameImmutable):
            act()

    assert not Yank.objects.exists()
    assert Artifact.objects.exists()
