"""Expiry in SQL …"""

from datetime import timedelta
from itertools import islice, product

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.patterns import Pattern
from artifacts.domain.retention import Attached, Conditions, Decision, Facts, Rules, decide
from artifacts.models import Artifact, Project
from artifacts.queries.expiry import Known, expiry_of, expiry_sql
from tests.factories.builds import NOW
from tests.factories.retention_policies import policies
from tests.factories.shelf import Kind, put

SLSA = "https://slsa.dev/provenance/v1"
CONDITIONS = [
    Conditions(),
    Conditions(paths=(Pattern("dist/*.tar"), Pattern("doc/**"))),
    Conditions(refs=(Pattern("refs/heads/*"),)),
    Conditions(refs=(Pattern("refs/tags/v1.0+a(b"),)),
    Conditions(is_protected=True),
    Conditions(is_protected=False, refs=(Pattern("**"),)),
    Conditions(outcomes=(BuildState.REFUSED,)),
    Conditions(predicates=(SLSA, "other")),
    Conditions(size_from_bytes=100, size_to_bytes=200),
    Conditions(size_from_bytes=201),
    Conditions(is_yanked=True),
    Conditions(is_yanked=False),
]
MORE = list(product([False, True], [None, 4, 30], [None, 8]))
# One of 389 of all combinations, so that each value meets each other one.
KINDS = [
    Kind(
        path,
        ref,
        protected,
        outcome,
        size,
        stored,
        downloaded,
        predicate,
        life,
        is_yanked=more[0],
        held_to=more[1],
        used_to=more[2],
    )
    for path, ref, protected, outcome, size, stored, downloaded, predicate, life, more in islice(
        product(
            ["dist/a.tar", "dist/sub/a.tar", "doc/x/y"],
            ["refs/heads/main", "refs/heads/a/b", "refs/tags/v1.0+a(b", ""],
            [True, False],
            [BuildState.PUBLISHED, BuildState.REFUSED],
            [99, 100, 201],
            [0, 2],
            [None, 4],
            ["", SLSA],
            [None, 3],
            MORE,
        ),
        0,
        None,
        389,
    )
]


@pytest.fixture
def shelf(project: Project) -> list[tuple[Artifact, Kind]]:
    return [(put(project, kind, first=NOW), kind) for kind in KINDS]


def facts(kind: Kind, place: int | None) -> Facts:
    return Facts(
        path=kind.path,
        ref=kind.ref,
        is_protected=kind.is_protected,
        outcome=kind.outcome,
        size_bytes=kind.size_bytes,
        stored_at=NOW + timedelta(days=kind.stored),
        downloaded_at=(
            NOW + timedelta(days=kind.downloaded) if kind.downloaded is not None else None
        ),
        predicates=frozenset({kind.predicate} if kind.predicate else ()),
        place=place,
        asked_life=(
            timedelta(days=kind.asked_life_days) if kind.asked_life_days is not None else None
        ),
        is_yanked=kind.is_yanked,
        held_until=NOW + timedelta(days=kind.held_to) if kind.held_to is not None else None,
        in_use_until=NOW + timedelta(days=kind.used_to) if kind.used_to is not None else None,
    )


@pytest.mark.parametrize("place", [None, 1, 3, 7])
def test_says_what_the_rule_says(shelf: list[tuple[Artifact, Kind]], place: int | None) -> None:
    now = NOW + timedelta(days=5)

    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    @given(policies(CONDITIONS))
    def agrees(attached: list[Attached]) -> None:
        said = in_sql(attached, place)

        assert {
            one.pk: decide(facts(kind, place), attached, now=now) for one, kind in shelf
        } == said

    def in_sql(attached: list[Attached], place: int | None) -> dict[object, Decision]:
        known = Known(place=str(place) if place is not None else None)
        made = expiry_sql(Rules.of(attached), now=now, known=known)
        with connection.cursor() as cursor:
            cursor.execute(
                f"""SELECT artifact.id, NULLIF(ends, 'infinity'), rule, kept_by
                FROM artifact CROSS JOIN LATERAL ({made.sql.text}) AS expiry""",  # noqa: S608 - our own words
                made.sql.parameters,
            )
            return {row[0]: made.decision(*row[1:]) for row in cursor.fetchall()}

    agrees()


def test_looks_for_the_policies_alone_where_nothing_can_end_it(
    shelf: list[tuple[Artifact, Kind]],
) -> None:
    kept = next(artifact for artifact, kind in shelf if kind.asked_life_days is None)
    asked = next(
        artifact
        for artifact, kind in shelf
        if kind.asked_life_days is not None and kind.held_to is kind.used_to is None
    )

    with CaptureQueriesContext(connection) as questions:
        endless = expiry_of(kept, now=NOW)

    assert endless == Decision(None)
    assert len(questions) == 1
    assert expiry_of(asked, now=NOW).expires_at == asked.stored_at + timedelta(days=3)
