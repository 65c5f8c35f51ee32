"""A quota of an organization or a project …"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from artifacts.domain.quota import SOFT_GRACE, Limits, Quota, Use
from artifacts.errors import QuotaExceeded
from artifacts.models import Artifact, Blob, Organization, Project, UseSlice
from artifacts.queries import Place
from artifacts.queries.use import counted_use, measured_use
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from artifacts.usecases.publish_file import Incoming, Published, publish_file
from artifacts.usecases.recount_use import EVERY, recount_use_when_due
from artifacts.usecases.set_quota import set_organization_quota, set_project_quota
from artifacts.usecases.start_build import Wanted, start_build
from kernel.actor import Actor, PermissionMissing
from kernel.audit.models import AuditRecord
from tests.factories.actors import administrator, job
from tests.factories.builds import NOW, at_once, digest_of, send
from tests.factories.direct_uploads import Desk
from tests.factories.facts import witnessed
from tests.fakes.blob_store import MemoryBlobStore


def limited(hard: int | None = None, *, files: int | None = None, soft: int | None = None) -> None:
    quota = Quota(bytes=Limits(soft=soft, hard=hard), files=Limits(hard=files))
    set_organization_quota(actor=administrator(), organization="acme", quota=quota, now=NOW)


def put(
    actor: Actor,
    store: MemoryBlobStore,
    path: str,
    data: bytes,
    *,
    is_declared: bool = False,
    now: datetime = NOW,
) -> Published:
    return publish_file(
        actor=actor,
        place=Place("acme", "widget", path),
        incoming=Incoming(
            chunks=iter([data]),
            declared=digest_of(data) if is_declared else None,
            size_bytes=len(data),
        ),
        store=store,
        clock=lambda: now,
    )


def acme() -> Organization:
    return Organization.objects.get(slug="acme")


def test_takes_what_fits_and_refuses_what_does_not(first: Actor, store: MemoryBlobStore) -> None:
    limited(hard=20)
    put(first, store, "a", b"a" * 20)

    with pytest.raises(QuotaExceeded) as refused:
        put(first, store, "b", b"b")

    assert refused.value.facts == {
        "of": "organization",
        "name": "acme",
        "unit": "bytes",
        "level": "hard",
        "limit": 20,
        "would_be": 21,
        "raised_by": "an administrator of this store",
    }
    assert [artifact.path for artifact in Artifact.objects.all()] == ["a"]
    assert counted_use(acme()) == Use(1, 20, 20)


def test_refuses_before_any_byte_is_sent_where_it_knows_enough(
    first: Actor, store: MemoryBlobStore
) -> None:
    limited(hard=20)

    class Unread:
        def __iter__(self) -> Iterator[bytes]:
            raise AssertionError("a byte was asked for")

    with pytest.raises(QuotaExceeded):
        publish_file(
            actor=first,
            place=Place("acme", "widget", "a"),
            incoming=Incoming(chunks=Unread(), declared=digest_of(b"x"), size_bytes=21),
            store=store,
            clock=lambda: NOW,
        )
    assert store.blobs == {}


def test_counts_the_organizations_own_distinct_bytes_once(
    first: Actor, store: MemoryBlobStore
) -> None:
    limited(hard=20)
    put(first, store, "a", b"a" * 20)

    put(first, store, "again", b"a" * 20, is_declared=True)

    assert counted_use(acme()) == Use(2, 40, 20)
    assert Blob.objects.count() == 1


def test_tells_nothing_of_what_others_have(first: Actor, store: MemoryBlobStore) -> None:
    """A foreign organization's bytes cost as much as new ones, and are refused in the same way."""
    create_organization(actor=administrator(), slug="other", now=NOW)
    create_project(
        actor=administrator(), organization="other", slug="theirs", is_public=False, now=NOW
    )
    theirs = job(Project.objects.get(slug="theirs"), witnessed())
    build = start_build(actor=theirs, wanted=Wanted("other", "theirs", "b"), now=NOW).build
    send(theirs, build, store, "known", b"k" * 30)
    limited(hard=20)
    answers = []

    for data in (b"k" * 30, b"n" * 30):
        with pytest.raises(QuotaExceeded) as refused:
            put(first, store, "x", data, is_declared=True)
        answers.append(refused.value.facts)

    assert answers[0] == answers[1]


def test_counts_files(first: Actor, store: MemoryBlobStore) -> None:
    limited(files=1)
    put(first, store, "a", b"a")

    with pytest.raises(QuotaExceeded) as refused:
        put(first, store, "b", b"a")
    assert (refused.value.facts["unit"], refused.value.facts["limit"]) == ("files", 1)


def test_lets_a_retry_be_harmless_when_everything_is_full(
    first: Actor, store: MemoryBlobStore
) -> None:
    limited(hard=1, files=1)
    put(first, store, "a", b"a")

    assert not put(first, store, "a", b"a", is_declared=True).is_new
    assert not put(first, store, "a", b"a").is_new


def test_is_exact_for_uploads_that_come_at_once(first: Actor, store: MemoryBlobStore) -> None:
    limited(hard=50)
    calls = [partial(put, first, store, f"{n}", f"{n:010d}".encode()) for n in range(16)]

    outcomes = at_once(*calls)

    assert sum(isinstance(one, Published) for one in outcomes) == 5
    assert sum(isinstance(one, QuotaExceeded) for one in outcomes) == 11
    assert measured_use(acme()) == (Use(5, 50, 50), Use(5, 50, 50))


def test_limits_a_project_beside_its_organization(first: Actor, store: MemoryBlobStore) -> None:
    limited(hard=1000)
    set_project_quota(
        actor=administrator(),
        organization="acme",
        project="widget",
        quota=Quota(bytes=Limits(hard=5)),
        now=NOW,
    )

    with pytest.raises(QuotaExceeded) as refused:
        put(first, store, "a", b"a" * 6)
    assert (refused.value.facts["of"], refused.value.facts["name"]) == ("project", "acme/widget")
    assert counted_use(acme()) == Use()


def test_takes_more_than_the_soft_limit_for_a_week(first: Actor, store: MemoryBlobStore) -> None:
    limited(soft=10, hard=100)
    put(first, store, "a", b"a" * 11)
    recount_use_when_due(now=NOW)

    put(first, store, "b", b"b", now=NOW + SOFT_GRACE)
    with pytest.raises(QuotaExceeded) as refused:
        put(first, store, "c", b"c", now=NOW + SOFT_GRACE + timedelta(seconds=1))

    assert refused.value.facts["level"] == "soft"
    assert acme().over_soft_since == NOW
    Artifact.objects.filter(path="a").delete()
    recount_use_when_due(now=NOW + EVERY)
    assert acme().over_soft_since is None


def test_recounts_what_went(first: Actor, store: MemoryBlobStore) -> None:
    limited(hard=20)
    put(first, store, "a", b"a" * 20)
    Artifact.objects.all().delete()

    assert recount_use_when_due(now=NOW) == 1
    assert recount_use_when_due(now=NOW) == 0  # not yet again
    assert recount_use_when_due(now=NOW + EVERY) == 0  # it was right

    assert counted_use(acme()) == Use()
    put(first, store, "b", b"b" * 20)


def test_counts_what_was_there_before_the_quota(first: Actor, store: MemoryBlobStore) -> None:
    put(first, store, "a", b"a" * 20)
    assert not UseSlice.objects.exists()

    limited(hard=20)

    with pytest.raises(QuotaExceeded):
        put(first, store, "b", b"b")


def test_costs_nothing_without_a_quota_and_one_query_with_one(
    first: Actor, store: MemoryBlobStore
) -> None:
    put(first, store, "warm", b"warm")
    with CaptureQueriesContext(connection) as without:
        put(first, store, "a", b"a")
    limited(hard=10_000)
    with CaptureQueriesContext(connection) as with_quota:
        put(first, store, "b", b"b")

    assert not [one for one in without if "use_slice" in one["sql"]]
    assert len(with_quota) == len(without) + 1


def test_is_set_by_those_who_answer_for_it_and_recorded(first: Actor, project: Project) -> None:
    with pytest.raises(PermissionMissing):
        set_organization_quota(
            actor=replace(first, workload=None), organization="acme", quota=None, now=NOW
        )
    limited(hard=7)
    limited(hard=7)

    [event] = AuditRecord.objects.filter(action="organization.set-quota")
    assert event.facts["before"] is None
    assert event.facts["after"]["bytes"]["hard"] == 7
    assert project.quota is None


def test_refuses_a_direct_upload_before_it_begins_and_when_it_is_measured(desk: Desk) -> None:
    limited(hard=30)
    begun = desk.start("a", b"a" * 20)

    with pytest.raises(QuotaExceeded):
        desk.start("b", b"b" * 20)  # too much together with what is on its way
    limited(hard=10)
    desk.send(begun, b"a" * 20)
    desk.complete(begun)
    desk.measure()

    begun.refresh_from_db()
    assert begun.refused is not None
    assert begun.refused["code"] == "quota-exceeded"
    assert desk.store.blobs == {}
