"""A retention policy …"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings

from artifacts.domain.retention_document import MalformedRetentionPolicy
from artifacts.errors import ArtifactExpired, LatestNotFound, PolicyChanged
from artifacts.models import Artifact, Project, StoredRetentionPolicy
from artifacts.queries.expiry import expiry_of
from artifacts.queries.finding import (
    artifacts_at_path,
    artifacts_by_path,
    artifacts_with_digest,
    artifacts_with_digests,
    count_files,
    files_of,
)
from artifacts.queries.retention import Held, Holder
from artifacts.usecases.find_latest import WantedLatest, find_latest
from artifacts.usecases.open_download import open_download
from artifacts.usecases.set_retention import RetentionChange, set_retention
from kernel.actor import ANONYMOUS, PermissionMissing, Unauthenticated
from kernel.audit.models import AuditRecord
from kernel.digest import Sha256
from provenance.errors import TrustRootMissing
from provenance.usecases.verify_subject import Judge
from provenance.wiring import verifier
from tests.factories.actors import administrator, reader, uploader
from tests.factories.builds import NOW
from tests.factories.shelf import Kind, put

AFTER_9 = {"expire": [{"name": "nine", "after_days": 9}]}
ENDS = NOW + timedelta(days=9)
JUST_BEFORE = ENDS - timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Owner:
    """Decides at all levels."""

    project: Project

    def of_project(self, document: object, **others: Any) -> Held:
        return self.set(Holder.of_project(self.project), document, **others)

    def of_organization(self, document: object, **others: Any) -> Held:
        return self.set(Holder.of_organization(self.project.organization), document, **others)

    def of_instance(self, document: object, **others: Any) -> Held:
        return self.set(Holder.instance(), document, **others)

    def set(self, holder: Holder, document: object, **others: Any) -> Held:
        change = RetentionChange(document, **others)
        return set_retention(holder=holder, change=change, actor=administrator(), now=NOW)


@pytest.fixture
def owner(project: Project) -> Owner:
    return Owner(project)


@pytest.fixture
def artifact(project: Project) -> Artifact:
    return put(project, Kind(ref=""), first=NOW)


def test_counts_from_its_first_version_on(owner: Owner, artifact: Artifact) -> None:
    assert expiry_of(artifact, now=NOW).expires_at is None

    held = owner.of_project(AFTER_9)

    assert held.version == 1
    assert expiry_of(artifact, now=NOW).expires_at == ENDS


def test_holds_together_with_those_of_higher_levels(owner: Owner, artifact: Artifact) -> None:
    owner.of_organization({"expire": [{"name": "ours", "after_days": 30}]})
    owner.of_project({"keep": [{"name": "mine", "for_days": 40}]})
    owner.of_instance({"expire": [{"name": "all", "after_days": 100}]})

    found = expiry_of(artifact, now=NOW)

    assert found.expires_at == NOW + timedelta(days=40)
    assert found.rule is not None
    assert found.kept_by is not None
    assert (found.rule.name, found.kept_by.name) == ("ours", "mine")


def test_says_nothing_of_other_projects(owner: Owner, artifact: Artifact, project: Project) -> None:
    other = Holder(Holder.of_project(project).level, artifact.pk, "other", None)
    owner.set(other, AFTER_9)

    assert expiry_of(artifact, now=NOW).expires_at is None


def test_is_written_down_with_before_after_and_reason(owner: Owner) -> None:
    owner.of_project(AFTER_9, reason="too many")
    owner.of_project({}, version=1)

    stored = StoredRetentionPolicy.objects.order_by("version")
    assert [one.document for one in stored] == [AFTER_9, {}]
    first, second = AuditRecord.objects.filter(action="retention.set").order_by("id")
    assert first.facts["reason"] == "too many"
    assert (second.facts["before"], second.facts["after"]) == (AFTER_9, {})


def test_is_not_written_again_when_it_is_so_already(owner: Owner) -> None:
    owner.of_project(AFTER_9)

    assert owner.of_project(AFTER_9).version == 1
    assert StoredRetentionPolicy.objects.count() == 1


def test_refuses_a_change_to_another_version(owner: Owner) -> None:
    owner.of_project(AFTER_9)

    with pytest.raises(PolicyChanged):
        owner.of_project({}, version=0)


def test_refuses_what_is_no_policy(owner: Owner) -> None:
    with pytest.raises(MalformedRetentionPolicy):
        owner.of_project({"expire": [{"name": "old"}]})

    assert not StoredRetentionPolicy.objects.exists()


@pytest.mark.parametrize(
    "holder",
    [
        lambda _project: Holder.instance(),
        lambda project: Holder.of_organization(project.organization),
        Holder.of_project,
    ],
)
def test_is_its_owners_alone(project: Project, holder: Callable[[Project], Holder]) -> None:
    change = RetentionChange(AFTER_9)
    for actor, refusal in ((uploader(project), PermissionMissing), (ANONYMOUS, Unauthenticated)):
        with pytest.raises(refusal):
            set_retention(holder=holder(project), change=change, actor=actor, now=NOW)


def download(artifact: Artifact, now: datetime) -> None:
    open_download(
        actor=reader(artifact.project),
        artifact=artifact,
        judge=Judge(verifier=verifier(), key_is_shared=True),
        base_url=settings.PUBLIC_URL,
        now=now,
    )


def test_hands_nothing_out_from_the_second_on(owner: Owner, artifact: Artifact) -> None:
    owner.of_organization(AFTER_9)

    with pytest.raises(TrustRootMissing):  # verification comes next: it had not expired
        download(artifact, JUST_BEFORE)
    with pytest.raises(ArtifactExpired) as refused:
        download(artifact, ENDS)

    assert refused.value.facts == {
        "artifact": artifact.pk,
        "expired_at": ENDS,
        "rule": "nine",
        "level": "organization",
        "of": "acme",
        "version": 1,
    }


def test_hands_out_again_what_a_new_rule_keeps(owner: Owner, artifact: Artifact) -> None:
    owner.of_organization(AFTER_9)
    owner.of_project({"keep": [{"name": "all"}]})

    with pytest.raises(TrustRootMissing):
        download(artifact, ENDS)


def test_tells_nobody_of_an_expiry_who_may_not_read(owner: Owner, artifact: Artifact) -> None:
    owner.of_organization(AFTER_9)

    with pytest.raises(Unauthenticated):
        open_download(
            actor=ANONYMOUS,
            artifact=artifact,
            judge=Judge(verifier=verifier(), key_is_shared=True),
            base_url=settings.PUBLIC_URL,
            now=ENDS,
        )


LISTS: dict[str, Callable[[Artifact, datetime], list[Artifact]]] = {
    "files of the build": lambda one, now: files_of(
        one.build, prefix="", after="", limit=10, now=now
    ),
    "files of the project": lambda one, now: artifacts_by_path(
        project=one.project, prefix="", after=None, limit=10, now=now
    ),
    "by digest": lambda one, now: artifacts_with_digest(
        project=one.project, digest=Sha256(one.blob.sha256), limit=10, now=now
    ),
    "by digests": lambda one, now: artifacts_with_digests(
        project=one.project, digests=[Sha256(one.blob.sha256)], limit=10, now=now
    ),
    "at path": lambda one, now: artifacts_at_path(
        project=one.project, path=one.path, limit=10, now=now
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_hides_from_lists_from_the_second_on(owner: Owner, artifact: Artifact, name: str) -> None:
    owner.of_project(AFTER_9)

    assert LISTS[name](artifact, JUST_BEFORE) == [artifact]
    assert LISTS[name](artifact, ENDS) == []


def test_is_not_among_the_files_that_are_counted(owner: Owner, artifact: Artifact) -> None:
    owner.of_project(AFTER_9)

    assert count_files(artifact.build, now=JUST_BEFORE) == 1
    assert count_files(artifact.build, now=ENDS) == 0


def test_finds_the_older_copies_of_a_digest_behind_expired_ones(
    project: Project,
) -> None:
    kept = put(project, Kind(bytes_of="same", path="keep/a"), first=NOW)
    for _number in range(3):
        put(project, Kind(bytes_of="same", asked_life_days=1, stored=1), first=NOW)
    now = NOW + timedelta(days=2)

    found = artifacts_with_digests(
        project=project, digests=[Sha256(kept.blob.sha256)], limit=2, now=now
    )

    assert found == [kept]


def test_is_no_latest_from_the_second_on(owner: Owner, artifact: Artifact) -> None:
    owner.of_project(AFTER_9)

    def latest(now: datetime) -> Artifact:
        return find_latest(
            actor=reader(artifact.project),
            wanted=WantedLatest(artifact.project, artifact.path, ""),
            judge=Judge(verifier=verifier(), key_is_shared=True),
            base_url=settings.PUBLIC_URL,
            now=now,
        )

    with pytest.raises(TrustRootMissing):
        latest(JUST_BEFORE)
    with pytest.raises(LatestNotFound):
        latest(ENDS)
