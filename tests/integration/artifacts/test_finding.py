"""Whoever looks for files …"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from access.usecases.create_token import create_token
from artifacts.api.finding import MAX_DIGESTS, MAX_FOUND_OF_DIGEST
from artifacts.api.pages import PAGE_FILES
from artifacts.models import Artifact, Blob, Build, Contribution, Project
from artifacts.queries.positions import encode_cursor
from artifacts.usecases.create_project import create_project
from kernel.actor import Permission
from tests.factories.actors import administrator

START = datetime(2026, 11, 1, tzinfo=UTC)
ODD = [0, 1, 2, 499, 500, 501]


@dataclass(frozen=True, slots=True)
class Shelves:
    """A project with builds that are made by hand, and a reader's way to it."""

    project: Project
    client: Client

    def build(self, number: int = 0, **fields: Any) -> Build:
        at = START + timedelta(minutes=number)
        given = {"state": "published", "published_at": at, "origin": "release", **fields}
        build = Build.objects.create(
            project=self.project, opened_by="somebody", opened_at=at, **given
        )
        Contribution.objects.create(build=build, job="release", joined_at=at)
        return build

    def add(self, build: Build, *paths: str, data: str | None = None) -> list[Artifact]:
        return Artifact.objects.bulk_create(
            Artifact(
                project=build.project,
                build=build,
                contribution=build.contributions.get(),
                path=path,
                blob=blob_of(path if data is None else data),
                stored_at=build.opened_at,
            )
            for path in paths
        )

    def get(self, address: str) -> Any:
        response = self.client.get(address)
        assert response.status_code == 200, response.content
        return response.json()

    def pages(self, address: str) -> Iterator[list[dict[str, Any]]]:
        url = address
        while url:
            response = self.client.get(url)
            assert response.status_code == 200, response.content
            yield next(v for v in response.json().values() if isinstance(v, list))
            link = response.headers.get("Link", "")
            url = link[1 : link.index(">")].removeprefix(settings.PUBLIC_URL) if link else ""

    def all(self, address: str) -> list[dict[str, Any]]:
        return [row for page in self.pages(address) for row in page]

    def ask(self, body: object) -> Any:
        return self.client.post(f"{ROOT}/digests", body, content_type="application/json")


ROOT = "/api/v1/projects/acme/widget"


def blob_of(data: str) -> Blob:
    digest = sha256(data.encode()).hexdigest()
    defaults = {"size_bytes": len(data), "key": digest, "stored_at": START}
    return Blob.objects.get_or_create(sha256=digest, defaults=defaults)[0]


@pytest.fixture
def shelves(project: Project) -> Shelves:
    token = create_token(
        name="reader",
        project=project,
        permissions=[Permission.READ],
        life=timedelta(hours=1),
        actor=administrator(),
        now=timezone.now(),
    )
    return Shelves(project, Client(headers={"Authorization": f"Bearer {token.secret}"}))


@pytest.mark.parametrize("count", ODD)
def test_pages_through_the_files_of_a_build(shelves: Shelves, count: int) -> None:
    build = shelves.build()
    paths = [f"dist/{number:05d}" for number in range(count)]
    shelves.add(build, *reversed(paths), data="x")

    pages = list(shelves.pages(f"/api/v1/builds/{build.pk}/files"))

    assert [row["path"] for page in pages for row in page] == paths
    assert all(len(page) <= PAGE_FILES for page in pages)
    assert len(pages) == max(1, -(-count // PAGE_FILES))


@pytest.mark.parametrize("count", ODD)
def test_sees_a_build_with_its_first_files_and_their_number(shelves: Shelves, count: int) -> None:
    build = shelves.build()
    shelves.add(build, *(f"dist/{number:05d}" for number in range(count)), data="x")

    response = shelves.client.get(f"/api/v1/builds/{build.pk}")

    document = response.json()
    assert document["artifact_count"] == count
    assert len(document["artifacts"]) == min(count, PAGE_FILES)
    assert ("Link" in response.headers) == (count > PAGE_FILES)
    if count > PAGE_FILES:
        link = response.headers["Link"]
        rest = shelves.all(link[1 : link.index(">")].removeprefix(settings.PUBLIC_URL))
        assert len(rest) == count - PAGE_FILES
    assert urlsplit(document["urls"]["files"]).path == f"/api/v1/builds/{build.pk}/files"


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("dist/", ["dist/A", "dist/a", "dist/a%b", "dist/a_b", "dist/ä"]),
        ("dist/a", ["dist/a", "dist/a%b", "dist/a_b"]),
        ("dist/a%", ["dist/a%b"]),
        ("dist/a_", ["dist/a_b"]),
        ("dist/ä", ["dist/ä"]),
        ("", ["dist/A", "dist/a", "dist/a%b", "dist/a_b", "dist/ä", "notes"]),
        ("nothing", []),
    ],
)
def test_keeps_to_a_prefix_as_it_is_written(
    shelves: Shelves, prefix: str, expected: list[str]
) -> None:
    build = shelves.build()
    shelves.add(build, "notes", "dist/ä", "dist/a_b", "dist/a%b", "dist/A", "dist/a")
    query = f"?prefix={prefix.replace('%', '%25')}"

    for address in (f"/api/v1/builds/{build.pk}/files", f"{ROOT}/files"):
        assert [row["path"] for row in shelves.all(address + query)] == expected


def test_pages_through_a_project_by_path_the_newest_first(shelves: Shelves) -> None:
    for number in range(700):
        build = shelves.build(number // 3)  # several at the same moment
        shelves.add(build, "dist/a", *(["dist/b"] if number % 7 == 0 else []), data="x")
    shelves.add(shelves.build(999, state="open", published_at=None), "dist/a", data="x")

    seen = shelves.all(f"{ROOT}/files?prefix=dist/")

    found = Artifact.objects.exclude(build__state="open").order_by("path", "-stored_at", "id")
    assert [row["id"] for row in seen] == [str(pk) for pk in found.values_list("pk", flat=True)]
    assert len(seen) == 800


FILTERED = [
    ("state=refused", [3]),
    ("state=sealed", [4]),
    ("state=published", [0, 1, 2]),
    ("ref=refs/heads/main", [0, 2]),
    (f"commit={'a' * 40}", [1]),
    ("name=wheels", [2]),
    ("since=2026-11-01T00:02:00Z", [2, 3, 4]),
    ("since=2026-11-01T01:02:00%2B01:00", [2, 3, 4]),
    ("ref=refs/heads/main&since=2026-11-01T00:01:00Z", [2]),
    ("state=open", []),
    ("name=nothing", []),
]


@pytest.mark.parametrize(("query", "expected"), FILTERED)
def test_filters_builds(shelves: Shelves, query: str, expected: list[int]) -> None:
    builds = [
        shelves.build(0, ref="refs/heads/main"),
        shelves.build(1, commit="a" * 40),
        shelves.build(2, ref="refs/heads/main", name="wheels"),
        shelves.build(3, state="refused", published_at=None),
        shelves.build(4, state="sealed", published_at=None),
    ]
    shelves.build(5, state="open", published_at=None, name="wheels")

    seen = [row["id"] for row in shelves.all(f"{ROOT}/builds?{query}")]

    assert seen == [str(builds[number].pk) for number in reversed(expected)]


def test_keeps_the_filter_from_page_to_page(shelves: Shelves) -> None:
    for number in range(120):
        shelves.build(number, name="even" if number % 2 == 0 else "odd")

    seen = shelves.all(f"{ROOT}/builds?name=even")

    assert len(seen) == 60
    assert {row["name"] for row in seen} == {"even"}


@pytest.mark.parametrize(
    "address",
    [
        "builds?stat=refused",
        "builds?state=broken",
        "builds?since=yesterday",
        "builds?since=2026-11-01T00:00:00",
        "builds?state=sealed&state=open",
        "builds?ref=%00",
        "files?prefix=%00",
        "files?cursor=x",
        "files?cursor=" + encode_cursor("a\x00", "2026-11-01T00:00:00Z", "0" * 32),
        "files?cursor=" + encode_cursor("a", "2026-11-01", "0" * 32),
        "files?cursor=" + encode_cursor("a"),
        "latest/dist/a?branch=main",
    ],
)
def test_is_told_what_cannot_be_asked(shelves: Shelves, address: str) -> None:
    response = shelves.client.get(f"{ROOT}/{address}")

    assert response.status_code == 400, response.content
    assert response.json()["code"] == "malformed-request"


def test_asks_for_many_digests_at_once(shelves: Shelves) -> None:
    for number in range(MAX_FOUND_OF_DIGEST + 5):
        shelves.add(shelves.build(number), "empty", data="")
    [other] = shelves.add(shelves.build(99, state="sealed", published_at=None), "dist/b", data="b")
    shelves.add(shelves.build(98, state="open", published_at=None), "dist/c", data="c")
    elsewhere = create_project(
        actor=administrator(), organization="acme", slug="other", is_public=False, now=START
    )
    shelves.add(Shelves(elsewhere, shelves.client).build(), "dist/d", data="d")
    asked = [sha256(data.encode()).hexdigest() for data in ("", "b", "c", "d", "nowhere")]

    answer = shelves.ask({"sha256": asked}).json()

    assert set(answer["found"]) == set(asked[:2])
    assert answer["missing"] == asked[2:]
    newest = [row["stored_at"] for row in answer["found"][asked[0]]]
    assert len(newest) == MAX_FOUND_OF_DIGEST
    assert newest == sorted(newest, reverse=True)
    assert newest[0] == "2026-11-01T00:14:00Z"
    [found] = answer["found"][asked[1]]
    assert (found["id"], found["path"], found["build"]["state"]) == (
        str(other.pk),
        "dist/b",
        "sealed",
    )


def test_asks_for_as_many_digests_as_there_may_be(
    shelves: Shelves, django_assert_max_num_queries: Any
) -> None:
    most = [f"{number:064x}" for number in range(MAX_DIGESTS)]

    with django_assert_max_num_queries(8):
        answer = shelves.ask({"sha256": most})

    assert answer.json()["missing"] == most
    too_many = shelves.ask({"sha256": [*most, "f" * 64]})
    assert too_many.status_code == 413
    assert (too_many.json()["limit"], too_many.json()["observed"]) == (1000, 1001)


@pytest.mark.parametrize(
    "body", [{}, [], {"sha256": "x"}, {"sha256": [1]}, {"sha256": ["x"]}, {"sha256": ["A" * 64]}]
)
def test_is_told_what_is_no_digest(shelves: Shelves, body: object) -> None:
    response = shelves.ask(json.dumps(body))

    assert response.status_code == 400


def test_is_led_to_the_latest(shelves: Shelves) -> None:
    """What it leads to is decided in test_latest.py; here is how it is said when there is none."""
    refused = shelves.client.get(f"{ROOT}/latest/dist/a?ref=refs/heads/main")

    assert refused.status_code == 404
    assert refused.json()["code"] == "latest-not-found"
    assert shelves.client.get(f"{ROOT}/latest/dist/../a?ref=x").json()["code"] == "latest-not-found"


def test_allows_refs_only_as_an_administrator(shelves: Shelves) -> None:
    body = {"allowed_refs": ["refs/heads/main"]}

    def put(client: Client, body: object) -> Any:
        return client.put(f"{ROOT}/refs", body, content_type="application/json")

    assert put(shelves.client, body).status_code == 403
    token = create_token(
        name="owner",
        project=shelves.project,
        permissions=[Permission.ADMINISTER],
        life=timedelta(hours=1),
        actor=administrator(),
        now=timezone.now(),
    )
    owner = Client(headers={"Authorization": f"Bearer {token.secret}"})
    assert put(owner, body).json() == body
    assert shelves.get(f"{ROOT}/refs") == body
    assert put(owner, {"allowed_refs": ["main"]}).status_code == 422
    assert put(owner, {"allowed_refs": "main"}).status_code == 400
    assert put(owner, {}).status_code == 400
    assert shelves.get(f"{ROOT}/refs") == body
