"""When artifacts expire, in SQL: what `domain/retention.decide` says, of any number at once.

The rules that hold for a project become one expression over a row of `artifact`. It is made in
steps, each a subquery that PostgreSQL may not merge (OFFSET 0) and so computes once a row: what
each rule says (k…, o…), until when keep rules keep (u…), when each expire rule ends it (e…), the
first of those, and then which rules these are. Only the first step has parameters.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from artifacts.domain.patterns import Pattern
from artifacts.domain.retention import (
    ASKED_BY_JOB,
    Cited,
    Conditions,
    Decision,
    Level,
    Measure,
    Rule,
    Ruled,
    Rules,
)
from artifacts.models import Artifact, Project
from artifacts.queries.protecting import HELD_UNTIL, IN_USE_UNTIL, SHA256
from artifacts.queries.retention import policies_of
from provenance.queries import HAS_PREDICATE

# What a job asked for is one more expire rule, behind all others.
_ASKED: Final = Ruled(Rule(ASKED_BY_JOB.name, Measure.AGE), ASKED_BY_JOB)
_DAY: Final = "interval '24 hours'"
_NEVER: Final = "'infinity'::timestamptz"
DOWNLOADED: Final = """(SELECT download.at FROM download
    WHERE download.project_id = artifact.project_id AND download.artifact_id = artifact.id
        AND download.verdict <> 'refused' ORDER BY download.at DESC LIMIT 1)"""
_OUTCOME: Final = "(SELECT build.state FROM build WHERE build.id = artifact.build_id)"
_SIZE: Final = "(SELECT blob.size_bytes FROM blob WHERE blob.id = artifact.blob_id)"
YANKED: Final = "EXISTS (SELECT FROM yank WHERE yank.artifact_id = artifact.id)"


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL with the parameters that it takes, in order."""

    text: str
    parameters: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class ExpirySql:
    """`SELECT ends, rule, kept_by` about the row of `artifact` around it.

    `ends` is infinity where a rule keeps it and null where none would end it; `rule` and
    `kept_by` are places in `expire` and `keep`.
    """

    sql: Sql
    expire: tuple[Ruled, ...]
    keep: tuple[Ruled, ...]

    def decision(
        self, expires_at: datetime | None, rule: int | None, kept_by: int | None
    ) -> Decision:
        """The same in words; `expires_at` is None for infinity."""
        return Decision(
            expires_at,
            self.expire[rule].cited if rule is not None else None,
            self.keep[kept_by].cited if kept_by is not None else None,
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out about the row of `artifact` before, as SQL; else it is looked up.

    `place` is as in `Facts`: None where nobody counted.
    """

    place: str | None = None
    held_until: str = f"({HELD_UNTIL})"
    in_use_until: str = f"({IN_USE_UNTIL})"


NOTHING: Final = Known()


def expiry_sql(rules: Rules, *, now: datetime, known: Known = NOTHING) -> ExpirySql:
    """The rules as SQL."""
    expire = (*rules.expire, _ASKED)
    kept = [_kept_until(one.rule, known) for one in rules.keep]
    own = [*(_own_end(one.rule, known.place, now) for one in rules.expire), _asked_end()]
    counting = [*(rules.counting_against(one) for one in rules.expire), tuple(range(len(kept)))]
    leaves = [
        *(Sql(f"{one.text} AS k{n}", one.parameters) for n, one in enumerate(kept)),
        *(Sql(f"{one.text} AS o{n}", one.parameters) for n, one in enumerate(own)),
    ]
    inner = ", ".join(one.text for one in leaves)
    untils = ", ".join(f"{_latest(keeping)} AS u{n}" for n, keeping in enumerate(counting))
    ends = ", ".join(
        f"CASE WHEN o{n} IS NOT NULL THEN GREATEST(o{n}, u{n}) END AS e{n}" for n in range(len(own))
    )
    first = ", ".join(f"e{n}" for n in range(len(own)))
    rule = " ".join(f"WHEN e{n} = ends THEN {n}" for n in range(len(own)))
    kept_by = " ".join(f"WHEN {n} THEN {_keeper(n, keeping)}" for n, keeping in enumerate(counting))
    text = f"""
        SELECT ends, rule, CASE rule {kept_by} END AS kept_by FROM (
        SELECT *, CASE {rule} END AS rule FROM (
        SELECT *, LEAST({first}) AS ends FROM (
        SELECT *, {ends} FROM (
        SELECT *, {untils} FROM (
        SELECT {inner} OFFSET 0) AS said OFFSET 0) AS kept OFFSET 0) AS moved OFFSET 0) AS led
        OFFSET 0) AS ruled"""  # noqa: S608 - words and numbers of our own
    return ExpirySql(Sql(text, _joined(leaves)), expire, rules.keep)


def rules_of(project: Project) -> Rules:
    """Every rule that holds for the project's artifacts."""
    return Rules.of(policies_of(project))


def expiries_of(
    artifacts: Iterable[UUID], *, project: Project, now: datetime
) -> dict[UUID, Decision]:
    """When these artifacts of the project expire, and why; those that are gone are left out."""
    return _expiries(artifacts, rules_of(project), project=project, now=now)


def expiry_of(artifact: Artifact, *, now: datetime) -> Decision:
    """When the artifact expires, and why."""
    rules = rules_of(artifact.project)
    if not rules.expire and artifact.asked_life_days is None:
        return Decision(None)  # nothing could end it: no question for each upload and download
    found = _expiries([artifact.pk], rules, project=artifact.project, now=now)
    return found.get(artifact.pk, Decision(None))


def kept_from_removal(artifact: Artifact, *, now: datetime) -> Decision:
    """What keeps the artifact from being removed by hand, whatever would end it; until when.

    Rules that count newer artifacts keep nothing: nobody counts here.
    """
    rules = rules_by_hand(artifact.project)
    found = _expiries([artifact.pk], rules, project=artifact.project, now=now)
    return found.get(artifact.pk, Decision(None))


def rules_by_hand(project: Project) -> Rules:
    """What keeps artifacts of the project from a person who would end all of them at once."""
    rules = rules_of(project)
    kept = tuple(one for one in rules.keep if one.rule.measure is not Measure.NEWEST)
    by_hand = Ruled(Rule("by-hand", Measure.AGE), Cited("by-hand", Level.PROJECT, 0))
    return Rules(kept, (by_hand,))


def unexpired(found: QuerySet[Artifact], *, project: Project, now: datetime) -> QuerySet[Artifact]:
    """Those of the project's artifacts that have not expired by now."""
    expired = is_expired_sql(rules_of(project), now=now)
    # Every value is a parameter.
    return found.annotate(
        is_expired=RawSQL(expired.text, expired.parameters)  # noqa: S611 - our own words
    ).filter(is_expired=False)


def is_expired_sql(rules: Rules, *, now: datetime) -> Sql:
    """Whether the row of `artifact` around it has expired by now; never null."""
    made = expiry_sql(rules, now=now)
    text = f"COALESCE((SELECT ends FROM ({made.sql.text}) AS expiry) <= %s, false)"  # noqa: S608 - as above
    return Sql(text, (*made.sql.parameters, now))


def _expiries(
    artifacts: Iterable[UUID], rules: Rules, *, project: Project, now: datetime
) -> dict[UUID, Decision]:
    made = expiry_sql(rules, now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT artifact.id, NULLIF(expiry.ends, 'infinity'), expiry.rule, expiry.kept_by
            FROM artifact CROSS JOIN LATERAL ({made.sql.text}) AS expiry
            WHERE artifact.project_id = %s AND artifact.id = ANY(%s)""",  # noqa: S608 - as above
            [*made.sql.parameters, project.pk, list(artifacts)],
        )
        return {row[0]: made.decision(*row[1:]) for row in cursor.fetchall()}


def _joined(parts: Sequence[Sql]) -> tuple[Any, ...]:
    return tuple(value for one in parts for value in one.parameters)


def _latest(keeping: Sequence[int]) -> str:
    return f"GREATEST({', '.join(f'k{n}' for n in keeping)})" if keeping else "NULL::timestamptz"


def _keeper(rule: int, keeping: Sequence[int]) -> str:
    """The first of the keep rules that moved the rule's own moment furthest."""
    if not keeping:
        return "NULL::integer"
    first = " ".join(f"WHEN k{n} = u{rule} THEN {n}" for n in keeping)
    return f"CASE WHEN u{rule} > o{rule} THEN CASE {first} END END"


def _when(conditions: Conditions, moment: Sql) -> Sql:
    asked = conditions_sql(conditions)
    if not asked:
        return moment
    text = f"CASE WHEN {' AND '.join(one.text for one in asked)} THEN {moment.text} END"
    return Sql(text, (*_joined(asked), *moment.parameters))


def _kept_until(rule: Rule, known: Known) -> Sql:
    match rule.measure:
        case Measure.ALWAYS:
            moment = Sql(_NEVER)
        case Measure.NEWEST if known.place is None:
            moment = Sql(_NEVER)
        case Measure.NEWEST:
            moment = Sql(f"CASE WHEN {known.place} <= %s THEN {_NEVER} END", (rule.amount,))
        case Measure.HELD:
            moment = Sql(known.held_until)
        case Measure.IN_USE:
            moment = Sql(known.in_use_until)
        case _:
            moment = _since(rule)
    return _when(rule.conditions, moment)


def _own_end(rule: Rule, place: str | None, now: datetime) -> Sql:
    if rule.measure is not Measure.NEWEST:
        return _when(rule.conditions, _since(rule))
    if place is None:
        return Sql("NULL::timestamptz")
    beyond = Sql(f"CASE WHEN {place} > %s THEN %s::timestamptz END", (rule.amount, now))
    return _when(rule.conditions, beyond)


def _asked_end() -> Sql:
    return Sql(f"artifact.stored_at + artifact.asked_life_days * {_DAY}")


def _since(rule: Rule) -> Sql:
    start = "artifact.stored_at"
    if rule.measure is Measure.IDLE:
        start = f"GREATEST({start}, {DOWNLOADED})"
    return Sql(f"{start} + %s * {_DAY}", (rule.amount,))


def conditions_sql(asked: Conditions) -> list[Sql]:
    """What is asked of the row of `artifact` around it, one by one; nothing where nothing is."""
    found: list[Sql] = []
    for column, patterns in (("artifact.path", asked.paths), ("artifact.ref", asked.refs)):
        if patterns:
            found.append(_one_matches(column, patterns))
    if asked.is_protected is not None:
        found.append(Sql("artifact.ref_is_protected = %s", (asked.is_protected,)))
    if asked.outcomes:
        outcomes = [one.value for one in asked.outcomes]
        found.append(Sql(f"{_OUTCOME} = ANY(%s::text[])", (outcomes,)))
    if asked.predicates:
        present = HAS_PREDICATE.format(
            project="artifact.project_id", build="artifact.build_id", sha256=SHA256
        )
        found.append(Sql(present, (list(asked.predicates),)))
    if asked.size_from_bytes is not None:
        found.append(Sql(f"{_SIZE} >= %s", (asked.size_from_bytes,)))
    if asked.size_to_bytes is not None:
        found.append(Sql(f"{_SIZE} <= %s", (asked.size_to_bytes,)))
    if asked.is_yanked is not None:
        found.append(Sql(f"{YANKED} = %s", (asked.is_yanked,)))
    return found


def _one_matches(column: str, patterns: Sequence[Pattern]) -> Sql:
    """Whether one of them is its value. Most names begin otherwise, and an expression is slow."""
    one = f"starts_with({column}, %s::text) AND {column} ~ %s::text"
    given = (word for pattern in patterns for word in (pattern.beginning, pattern.expression))
    return Sql(f"({' OR '.join([one] * len(patterns))})", tuple(given))
