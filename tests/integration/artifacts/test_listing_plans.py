"""Looking for something among 100,000 builds and artifacts …

Not how long it takes (machines differ) but how the database goes about it: by an index, reading
about as many rows as it shows.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from artifacts.domain.lifecycle import BuildState
from artifacts.models import Build, Project
from artifacts.queries import BuildFilter, builds_after
from artifacts.queries.finding import (
    artifacts_by_path,
    artifacts_with_digests,
    files_of,
    latest_published,
)
from artifacts.queries.positions import FilePosition, Position
from kernel.digest import Sha256

ROWS: Final = 100_000
LIMIT: Final = 50
# One artifact a build, three digests of which one is everywhere, 1,000 paths, 100 refs.
_ROWS: Final = """
    INSERT INTO build (id, project_id, origin, name, is_shared, opened_by, ref, commit, state,
        opened_at, published_at, sealed_in_attempt)
    SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, %(project)s, 'release',
        CASE WHEN n %% 100 = 0 THEN 'wheels' ELSE '' END, false, 'x',
        'refs/heads/' || n %% 100, lpad(to_hex(n / 10), 40, '0'),
        CASE WHEN n %% 20000 = 0 THEN 'refused' ELSE 'published' END,
        '2026-01-01'::timestamptz + n * interval '1 second', '2026-11-01', ''
    FROM generate_series(1, %(rows)s) AS n;
    INSERT INTO contribution (build_id, job, witnessed_sha256, joined_at)
    SELECT id, 'release', '', opened_at FROM build;
    INSERT INTO blob (sha256, size_bytes, key, etag, version_id, state, stored_at)
    SELECT lpad(to_hex(n), 64, '0'), 1, 'x' || n, '', '', 'live', '2026-01-01'
    FROM generate_series(1, 2000) AS n;
    INSERT INTO artifact (id, project_id, build_id, contribution_id, path, blob_id, ref,
        ref_is_protected, stored_at)
    SELECT build.id, project_id, build.id, contribution.id,
        'dist/' || (row_number() OVER ()) %% 1000,
        (SELECT min(id) FROM blob) + CASE WHEN contribution.id %% 2 = 0 THEN 0
            ELSE contribution.id %% 2000 END,
        ref, true, opened_at
    FROM build JOIN contribution ON contribution.build_id = build.id;
"""
MIDDLE: Final = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=ROWS // 2)
NOBODY: Final = UUID(int=0)


@pytest.fixture
def crowd(project: Project) -> Iterator[Project]:
    """All made in one test, because making it takes longer than asking."""
    place = psycopg.ClientCursor
    url = str(settings.ENVIRONMENT.migrator_database_url)
    with psycopg.connect(url, autocommit=True, cursor_factory=place) as owner:
        owner.execute(_ROWS, {"project": project.pk, "rows": ROWS})
        owner.execute("ANALYZE")
    yield project
    connection.close()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def plans(ask: Callable[[], Any]) -> Iterator[dict[str, Any]]:
    """How the database does what is asked: each query once more, under its eyes."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    for query in captured.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + query["sql"].replace("%", "%%"))
            [found] = cursor.fetchone()
        yield (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]


def questions(project: Project) -> dict[str, Callable[[], Any]]:
    one = Build.objects.get(commit=f"{700:040x}", name="wheels")

    def builds(**wanted: Any) -> Callable[[], Any]:
        def ask() -> Any:
            position = Position(MIDDLE, NOBODY)
            return builds_after(
                position, project=project, limit=LIMIT, wanted=BuildFilter(**wanted)
            )

        return ask

    def files(prefix: str, after: FilePosition | None) -> Callable[[], Any]:
        return lambda: artifacts_by_path(
            project=project, prefix=prefix, after=after, limit=LIMIT, now=MIDDLE
        )

    return {
        "builds": builds(),
        "builds of a state": builds(state=BuildState.REFUSED),
        "builds of most": builds(state=BuildState.PUBLISHED),
        "builds of a ref": builds(ref="refs/heads/7"),
        "builds of a commit": builds(commit=f"{700:040x}"),
        "builds of a name": builds(name="wheels"),
        "builds since": builds(since=MIDDLE - timedelta(seconds=20)),
        "files": files("", None),
        "files by prefix": files("dist/99", None),
        "files further on": files("dist/", FilePosition("dist/500", MIDDLE, NOBODY)),
        "files of a build": lambda: files_of(
            one, prefix="dist/", after="", limit=LIMIT, now=MIDDLE
        ),
        "latest": lambda: latest_published(
            project=project, path="dist/7", ref="refs/heads/7", limit=10, now=MIDDLE
        ),
        "digests": lambda: artifacts_with_digests(
            project=project,
            digests=[Sha256(f"{n:064x}") for n in (1, 2, 3, 4)],
            limit=10,
            now=MIDDLE,
        ),
    }


def test_reads_no_more_than_it_shows(crowd: Project) -> None:
    troubles = []
    for name, ask in questions(crowd).items():
        for node in (node for plan in plans(ask) for node in nodes(plan)):
            read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            large = node.get("Relation Name") in ("artifact", "build", "contribution")
            if large and (node["Node Type"] == "Seq Scan" or read > 20 * LIMIT):
                troubles.append((name, node["Node Type"], node.get("Index Name"), read))

    assert not troubles
