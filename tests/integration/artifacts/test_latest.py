"""The latest artifact of a ref …"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from artifacts.domain.refs import MAX_ALLOWED_REFS, RefNotNameable
from artifacts.errors import LatestNotFound
from artifacts.models import AllowedRef, Artifact, Project
from artifacts.queries import Place, allowed_refs
from artifacts.usecases.allow_refs import allow_refs
from artifacts.usecases.find_latest import MOST_TRIED, WantedLatest, find_latest
from artifacts.usecases.publish_file import Incoming, publish_file
from artifacts.wiring import endings
from kernel.actor import (
    ANONYMOUS,
    Actor,
    Grant,
    Permission,
    PermissionMissing,
    Unauthenticated,
)
from kernel.audit.models import AuditRecord
from provenance.domain.policy import Enforcement, Source
from provenance.errors import PolicyNotMet
from provenance.usecases.attest_builds import Attestor, attest_builds
from provenance.usecases.set_policy import set_policy
from provenance.usecases.verify_subject import Judge
from provenance.wiring import verifier
from tests.factories.actors import administrator, job, reader, uploader
from tests.factories.facts import witnessed, witnessed_by_subject
from tests.fakes.blob_store import MemoryBlobStore

MAIN = "refs/heads/main"
TOPIC = "refs/heads/topic"


@dataclass(slots=True)
class Forge:
    """A project to which jobs of any ref publish the same path, each later than the last."""

    project: Project
    store: MemoryBlobStore
    attestor: Attestor = field(repr=False)
    count: int = 0

    def build(self, ref: str = MAIN, protected: str = "true", **facts: Any) -> Artifact:
        found = witnessed(ref=ref, ref_protected=protected, job_id=str(self.count), **facts)
        return self.publish(job(self.project, found))

    def publish(self, actor: Actor, path: str = "dist/widget") -> Artifact:
        self.count += 1
        at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=self.count)
        return publish_file(
            actor=actor,
            place=Place("acme", "widget", path),
            incoming=Incoming(chunks=[f"widget {self.count}".encode()], declared=None),
            store=self.store,
            clock=lambda: at,
        ).artifact

    def attest(self) -> None:
        while attest_builds(attestor=self.attestor, endings=endings(), clock=timezone.now):
            pass

    def latest(self, ref: str = MAIN, actor: Actor | None = None) -> Artifact:
        return find_latest(
            actor=actor or reader(self.project),
            wanted=WantedLatest(self.project, "dist/widget", ref),
            judge=Judge(verifier=verifier(), key_is_shared=True),
            base_url=settings.PUBLIC_URL,
            now=timezone.now(),
        )

    def demand(self, **policy: Any) -> None:
        with transaction.atomic():
            set_policy(
                scope=self.project.scope, actor=administrator(), now=timezone.now(), **policy
            )

    def allow(self, *patterns: str) -> None:
        allow_refs(
            actor=administrator(), project=self.project, patterns=patterns, now=timezone.now()
        )


@pytest.fixture
def forge(project: Project, store: MemoryBlobStore, attestor: Attestor) -> Forge:
    found = Forge(project, store, attestor)
    facts = witnessed()
    source = Source(facts.issuer, repository_id=facts.repository_id, owner_id=facts.owner_id)
    found.demand(sources=[source], accepts_release=True)
    return found


def test_is_the_one_stored_last(forge: Forge) -> None:
    forge.build()
    newer = forge.build()
    forge.build(ref="refs/heads/next")
    forge.attest()

    assert forge.latest() == newer


def test_is_never_one_that_is_not_published(forge: Forge) -> None:
    older = forge.build()
    forge.attest()
    forge.build()

    assert forge.latest() == older


@pytest.mark.parametrize("protected", ["false", ""])
def test_is_never_of_a_ref_that_nobody_protects(forge: Forge, protected: str) -> None:
    forge.build(ref=TOPIC, protected=protected)
    forge.attest()

    with pytest.raises(LatestNotFound):
        forge.latest(TOPIC)


def test_passes_over_what_came_before_the_ref_was_protected(forge: Forge) -> None:
    protected = forge.build()
    forge.build(protected="false")
    forge.attest()

    assert forge.latest() == protected


@pytest.mark.parametrize("pattern", [TOPIC, "refs/heads/*", "refs/heads/top*"])
def test_is_of_a_ref_that_the_project_allows(forge: Forge, pattern: str) -> None:
    found = forge.build(ref=TOPIC, protected="false")
    forge.attest()
    forge.allow(pattern)

    assert forge.latest(TOPIC) == found


@pytest.mark.parametrize("pattern", ["refs/heads/topi", "refs/tags/*", "refs/heads/topic2"])
def test_is_not_of_a_ref_that_only_looks_alike(forge: Forge, pattern: str) -> None:
    forge.build(ref=TOPIC, protected="false")
    forge.attest()
    forge.allow(pattern)

    with pytest.raises(LatestNotFound):
        forge.latest(TOPIC)


def test_is_a_release_only_where_no_ref_is_asked_for(forge: Forge) -> None:
    built = forge.build()
    released = forge.publish(uploader(forge.project))
    forge.attest()

    assert forge.latest("") == released
    assert forge.latest() == built


def test_is_no_job_without_a_ref(forge: Forge) -> None:
    forge.publish(job(forge.project, witnessed_by_subject()))
    forge.attest()

    with pytest.raises(LatestNotFound):
        forge.latest("")


@pytest.mark.parametrize("enforcement", Enforcement)
def test_is_no_release_where_provenance_is_wanted(forge: Forge, enforcement: Enforcement) -> None:
    forge.publish(uploader(forge.project))
    forge.attest()
    forge.demand(enforcement=enforcement, accepts_release=False)

    with pytest.raises(PolicyNotMet) as refused:
        forge.latest("")

    assert refused.value.facts["reason"] == "release-only"


def test_is_the_one_before_when_the_newest_fails_the_policy(forge: Forge) -> None:
    older = forge.build()
    forge.build(repository_id="666")  # of a publisher that the project no longer has
    forge.attest()

    assert forge.latest() == older


def test_is_nothing_when_all_that_are_tried_fail(forge: Forge) -> None:
    forge.build()
    made = [forge.build(repository_id="666") for _ in range(MOST_TRIED)]
    forge.attest()

    with pytest.raises(PolicyNotMet) as refused:
        forge.latest()
    assert refused.value.facts["artifact"] == made[-1].pk


@pytest.mark.parametrize("path", ["", "../up", "a//b", "nothing"])
def test_is_nothing_where_no_such_path_can_be(forge: Forge, path: str) -> None:
    with pytest.raises(LatestNotFound):
        find_latest(
            actor=reader(forge.project),
            wanted=WantedLatest(forge.project, path, MAIN),
            judge=Judge(verifier=verifier(), key_is_shared=True),
            base_url=settings.PUBLIC_URL,
            now=timezone.now(),
        )


def test_is_for_readers(forge: Forge) -> None:
    forge.build()
    forge.attest()
    pusher = Actor("pusher", frozenset({Grant(Permission.UPLOAD, forge.project.pk)}))

    with pytest.raises(PermissionMissing):
        forge.latest(actor=pusher)
    with pytest.raises(Unauthenticated):
        forge.latest(actor=ANONYMOUS)


def test_keeps_the_allowed_refs_that_were_named_last(forge: Forge) -> None:
    forge.allow("refs/tags/v*", MAIN)
    kept = AllowedRef.objects.get(pattern=MAIN).pk
    forge.allow(MAIN, TOPIC, TOPIC)
    forge.allow(TOPIC, MAIN)

    assert allowed_refs(project=forge.project) == [MAIN, TOPIC]
    assert AllowedRef.objects.get(pattern=MAIN).pk == kept
    told = AuditRecord.objects.filter(action="refs.allow")
    assert {one.organization_id for one in told} == {forge.project.organization_id}
    assert told.count() == 2


@pytest.mark.parametrize(
    "pattern",
    [
        "main",
        "*",
        "refs/*",
        "refs/pull/1/merge",
        "refs/heads/",
        "refs/heads/a*b",
        "refs/tags/a b",
        "refs/heads/**",
        "refs/heads/a\x00",
        "refs/heads/" + "a" * 500,
    ],
)
def test_allows_no_ref_that_is_none(forge: Forge, pattern: str) -> None:
    with pytest.raises(RefNotNameable):
        forge.allow(pattern)


def test_allows_a_bounded_number_of_refs(forge: Forge) -> None:
    forge.allow(*(f"refs/heads/{number}" for number in range(MAX_ALLOWED_REFS)))

    with pytest.raises(RefNotNameable):
        forge.allow(*(f"refs/heads/{number}" for number in range(MAX_ALLOWED_REFS + 1)))


def test_lets_only_administrators_allow_refs(forge: Forge) -> None:
    with pytest.raises(PermissionMissing):
        allow_refs(
            actor=uploader(forge.project),
            project=forge.project,
            patterns=[MAIN],
            now=timezone.now(),
        )
