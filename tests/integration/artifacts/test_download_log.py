"""The download log …"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import DataError, OperationalError, connection
from django.db.utils import ProgrammingError
from django.test import Client
from django.utils import timezone

from access.usecases.create_token import create_token
from artifacts.adapters import download_log
from artifacts.adapters.download_log import BufferedDownloadLog
from artifacts.api.pages import PAGE_DOWNLOADS
from artifacts.errors import DownloadLogUnavailable
from artifacts.models import Download, Project
from artifacts.ports import DownloadEntry
from kernel.actor import Permission
from tests.factories.actors import administrator

AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
ENTRY = DownloadEntry(
    id=UUID(int=1),
    at=AT,
    project_id=UUID(int=2),
    build_id=UUID(int=3),
    artifact_id=UUID(int=4),
    path="dist/widget",
    member="",
    sha256="a" * 64,
    actor="reader",
    address="2001:db8::7",
    way="stream",
    byte_range="",
    verdict="allowed",
    reason="",
    decision="d" * 64,
    request_id="r",
)


def another(**fields: Any) -> DownloadEntry:
    return replace(ENTRY, **{"id": uuid4(), **fields})


@dataclass(slots=True)
class Paper:
    """A place to write that can refuse."""

    written: list[DownloadEntry] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    trouble: Exception | None = None
    poisoned: UUID | None = None
    is_written: threading.Event = field(default_factory=threading.Event)

    def write(self, entries: Sequence[DownloadEntry]) -> None:
        if self.trouble is not None:
            raise self.trouble
        if any(entry.id == self.poisoned for entry in entries):
            raise DataError("this row cannot be")
        self.batches.append(len(entries))
        self.written += entries
        self.is_written.set()


def test_writes_in_batches_that_linger_for_less_than_a_second() -> None:
    paper = Paper()
    log = BufferedDownloadLog(paper.write)
    entries = [another() for _ in range(50)]

    for entry in entries:
        log.add(entry)

    assert paper.is_written.wait(60)
    assert paper.written == entries
    assert paper.batches == [50]
    assert download_log.LINGER_SECONDS < 1


def test_keeps_what_could_not_be_written_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_log, "RETRY_SECONDS", 0.01)
    paper = Paper(trouble=OperationalError("away"))
    log = BufferedDownloadLog(paper.write)
    entries = [another() for _ in range(3)]

    for entry in entries:
        log.add(entry)
    log.flush()
    assert paper.written == []
    paper.trouble = None

    assert paper.is_written.wait(60)
    assert paper.written == entries


def test_has_no_room_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_log, "PATIENCE_SECONDS", 0.05)
    paper = Paper(trouble=OperationalError("away"))
    log = BufferedDownloadLog(paper.write, most_waiting=2)
    log.add(another())
    log.add(another())

    with pytest.raises(DownloadLogUnavailable) as refused:
        log.add(another())

    assert refused.value.facts == {"waiting": 2}
    paper.trouble = None
    assert paper.is_written.wait(60)


def test_writes_the_others_where_one_cannot_be_written() -> None:
    paper, entries = Paper(), [another() for _ in range(3)]
    paper.poisoned = entries[1].id
    log = BufferedDownloadLog(paper.write)

    for entry in entries:
        log.add(entry)
    log.flush()

    assert sorted(paper.written, key=str) == sorted([entries[0], entries[2]], key=str)


@pytest.mark.django_db(transaction=True)
def test_is_written_once_also_when_the_end_was_unclear() -> None:
    download_log.write_rows([ENTRY])
    download_log.write_rows([ENTRY, another()])

    assert Download.objects.filter(project_id=ENTRY.project_id).count() == 2
    assert Download.objects.get(pk=ENTRY.id).address == "2001:db8::7"


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["UPDATE download SET actor = 'x'", "DELETE FROM download"])
def test_cannot_be_changed_by_the_store(change: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(change)


@dataclass(frozen=True, slots=True)
class Desk:
    """Who administers the project, and reads its log."""

    project: Project
    client: Client

    def fill(self, count: int) -> None:
        download_log.write_rows(
            [
                another(
                    project_id=self.project.pk,
                    at=AT + timedelta(seconds=number // 3),
                    actor="even" if number % 2 == 0 else "odd",
                    sha256="b" * 64 if number % 50 == 0 else "a" * 64,
                    artifact_id=UUID(int=number % 7),
                )
                for number in range(count)
            ]
        )

    def all(self, query: str = "") -> list[dict[str, Any]]:
        url, rows = f"/api/v1/projects/acme/widget/downloads{query}", []
        while url:
            response = self.client.get(url)
            assert response.status_code == 200, response.content
            page = response.json()["downloads"]
            assert len(page) <= PAGE_DOWNLOADS
            rows += page
            link = response.headers.get("Link", "")
            url = link[1 : link.index(">")].removeprefix(settings.PUBLIC_URL) if link else ""
        return rows


def client_with(project: Project, permission: Permission) -> Client:
    token = create_token(
        name="somebody",
        project=project,
        permissions=[permission],
        life=timedelta(hours=1),
        actor=administrator(),
        now=timezone.now(),
    )
    return Client(headers={"Authorization": f"Bearer {token.secret}"})


@pytest.fixture
def desk(project: Project) -> Desk:
    return Desk(project, client_with(project, Permission.ADMINISTER))


def test_is_read_page_by_page_the_newest_first(desk: Desk) -> None:
    desk.fill(450)
    download_log.write_rows([another()])  # of another project

    seen = desk.all()

    expected = Download.objects.filter(project_id=desk.project.pk).order_by("-at", "id")
    assert [row["id"] for row in seen] == [str(pk) for pk in expected.values_list("pk", flat=True)]
    assert len(seen) == 450


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?actor=even", 150),
        (f"?sha256={'b' * 64}", 6),
        (f"?artifact={UUID(int=3)}", 43),
        ("?since=2026-11-21T08:01:30Z", 30),
        ("?until=2026-11-21T08:00:10Z", 30),
        ("?since=2026-11-21T08:00:10Z&until=2026-11-21T08:00:20Z&actor=odd", 15),
        ("?actor=nobody", 0),
    ],
)
def test_answers_who_fetched_what_and_when(desk: Desk, query: str, count: int) -> None:
    desk.fill(300)

    assert len(desk.all(query)) == count


@pytest.mark.parametrize("query", ["?artifact=x", "?sha256=x", "?who=x", "?cursor=e30", "?since=x"])
def test_says_what_it_cannot_be_asked(desk: Desk, query: str) -> None:
    response = desk.client.get(f"/api/v1/projects/acme/widget/downloads{query}")

    assert response.status_code == 400


def test_is_for_those_who_administer_the_project(desk: Desk) -> None:
    reader = client_with(desk.project, Permission.READ)

    assert reader.get("/api/v1/projects/acme/widget/downloads").status_code == 403
    Project.objects.update(is_public=True)
    assert Client().get("/api/v1/projects/acme/widget/downloads").status_code == 401
