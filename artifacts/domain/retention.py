"""When an artifact expires, by the retention policies that hold for it (docs/adr/0031).

Keep rules and expire rules of three levels are read together. Each expire rule names a moment; keep
rules move it away, or keep the artifact for good: **keep always wins**. The first moment counts.
`queries/expiry` says the same in SQL, and property tests hold it to this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final
from uuid import UUID

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.patterns import Pattern

# A moment that never comes; where nothing else is meant, no datetime is as late.
NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Level(IntEnum):
    """Where a policy is attached, the highest first. A job's own wish is the lowest."""

    INSTANCE = 0
    ORGANIZATION = 1
    PROJECT = 2
    JOB = 3

    @property
    def word(self) -> str:
        """As documents and pages say it."""
        return self.name.lower()


class Measure(StrEnum):
    """What a rule counts from: the storing, the last download, or newer artifacts.

    ALWAYS is of keep rules alone, and counts from nothing. HELD and IN_USE are of no policy: the
    store's own keep rules last as long as a hold or a use does.
    """

    ALWAYS = "always"
    AGE = "age"
    IDLE = "idle"
    NEWEST = "newest"
    HELD = "held"
    IN_USE = "in-use"


@dataclass(frozen=True, slots=True)
class Conditions:
    """Of which artifacts a rule speaks: those of which everything that is named here is true.

    Of several paths, refs, outcomes or predicate types one is enough; an empty tuple and None ask
    nothing. Sizes are in bytes and belong to the range. `refs` are full names (refs/heads/main).
    """

    paths: tuple[Pattern, ...] = ()
    refs: tuple[Pattern, ...] = ()
    is_protected: bool | None = None
    outcomes: tuple[BuildState, ...] = ()
    predicates: tuple[str, ...] = ()
    size_from_bytes: int | None = None
    size_to_bytes: int | None = None
    is_yanked: bool | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy: how many days (AGE, IDLE) or artifacts of a path and ref (NEWEST).

    A final expire rule gives way only to keep rules of its own level and higher ones.
    """

    name: str
    measure: Measure
    amount: int = 0
    conditions: Conditions = Conditions()
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """One version of what was decided at one level.

    `immutable` rules have conditions only: the names of what they speak of are given once.
    """

    keep: tuple[Rule, ...] = ()
    expire: tuple[Rule, ...] = ()
    immutable: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Attached:
    """A policy with where it holds: `scope` is the organization's or project's id, else None."""

    level: Level
    version: int
    policy: RetentionPolicy
    scope: UUID | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules can ask of an artifact.

    `downloaded_at` is the last time that somebody was given bytes. `place` is how many artifacts
    of its path and ref are at least as new, itself among them; None where nobody counted, which
    is so whenever an artifact is only looked at. `asked_life` is what its job asked for.
    `held_until` and `in_use_until` are the ends of the last legal hold and of the last declared
    use; NEVER where one has no end, None where there is none.
    """

    path: str
    ref: str
    is_protected: bool
    outcome: BuildState
    size_bytes: int
    stored_at: datetime
    downloaded_at: datetime | None = None
    predicates: frozenset[str] = frozenset()
    place: int | None = None
    asked_life: timedelta | None = None
    is_yanked: bool = False
    held_until: datetime | None = None
    in_use_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cited:
    """A rule, and exactly which version of whose policy says it."""

    name: str
    level: Level
    version: int
    scope: UUID | None = None


ASKED_BY_JOB: Final = Cited("asked-by-job", Level.JOB, 0)
LEGAL_HOLD: Final = Cited("legal-hold", Level.INSTANCE, 0)
IN_USE: Final = Cited("in-use", Level.INSTANCE, 0)


@dataclass(frozen=True, slots=True)
class Decision:
    """When the artifact expires (None: not by itself), by which rule, and what kept it longer.

    Without a rule nothing would end it. With `kept_by` and no moment it is kept as long as that
    rule is true of it.
    """

    expires_at: datetime | None
    rule: Cited | None = None
    kept_by: Cited | None = None

    def is_expired(self, *, now: datetime) -> bool:
        """Whether that moment has come: from it on, not behind it."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Ruled:
    """A rule and who says it."""

    rule: Rule
    cited: Cited


# What keeps whatever policies say: of the instance, so that no final rule is above it.
HOLDING: Final = Ruled(Rule(LEGAL_HOLD.name, Measure.HELD), LEGAL_HOLD)
USING: Final = Ruled(Rule(IN_USE.name, Measure.IN_USE), IN_USE)
PROTECTIONS: Final = (HOLDING, USING)


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules that hold for a project, in the order in which the first of equals counts."""

    keep: tuple[Ruled, ...] = ()
    expire: tuple[Ruled, ...] = ()

    @classmethod
    def of(
        cls, policies: Sequence[Attached], protections: Sequence[Ruled] = PROTECTIONS
    ) -> "Rules":
        """Those of the policies, the highest level's first, behind what protects by itself.

        Who knows that nothing is held, or nothing in use, may leave that protection out.
        """
        ordered = sorted(policies, key=lambda one: one.level)
        keep = tuple(_cited(one, rule) for one in ordered for rule in one.policy.keep)
        return cls(
            (*protections, *keep),
            tuple(_cited(one, rule) for one in ordered for rule in one.policy.expire),
        )

    def counting_against(self, expiring: Ruled) -> tuple[int, ...]:
        """Which keep rules an expire rule gives way to, by their places."""
        return tuple(
            place
            for place, keeping in enumerate(self.keep)
            if not expiring.rule.is_final or keeping.cited.level <= expiring.cited.level
        )


def immutable_by(
    path: str, ref: str, *, is_protected: bool, policies: Sequence[Attached]
) -> Cited | None:
    """The rule under which this name is given once, for ever; the highest level's first."""
    for attached in sorted(policies, key=lambda one: one.level):
        for rule in attached.policy.immutable:
            if _names(rule.conditions, path, ref, is_protected=is_protected):
                return _cited(attached, rule).cited
    return None


def decide(facts: Facts, policies: Sequence[Attached], *, now: datetime) -> Decision:
    """When the artifact expires, and why.

    Rules that count newer artifacts are believed only where `facts.place` is known: elsewhere
    those that keep do, and those that expire do not. What they expire has expired `now`.
    """
    rules = Rules.of(policies)
    until = [_kept_until(one.rule, facts) for one in rules.keep]
    ends = [
        (_own_end(one.rule, facts, now=now), one.cited, rules.counting_against(one))
        for one in rules.expire
    ]
    if facts.asked_life is not None:
        everything = tuple(range(len(rules.keep)))
        ends.append((facts.stored_at + facts.asked_life, ASKED_BY_JOB, everything))
    first: tuple[datetime, Decision] | None = None
    for own, cited, counting in ends:
        if own is None:
            continue
        end, kept_by = _moved(own, until, rules, counting)
        if first is None or end < first[0]:
            first = end, Decision(end if end != NEVER else None, cited, kept_by)
    return first[1] if first is not None else Decision(None)


def _cited(attached: Attached, rule: Rule) -> Ruled:
    return Ruled(rule, Cited(rule.name, attached.level, attached.version, attached.scope))


def _moved(
    own: datetime, until: Sequence[datetime | None], rules: Rules, counting: Sequence[int]
) -> tuple[datetime, Cited | None]:
    """The moment after all keep rules that count, and the first of those that moved it furthest."""
    end, kept_by = own, None
    for place in counting:
        kept = until[place]
        if kept is not None and kept > end:
            end, kept_by = kept, rules.keep[place].cited
    return end, kept_by


def _kept_until(rule: Rule, facts: Facts) -> datetime | None:
    if not _speaks_of(rule.conditions, facts):
        return None
    match rule.measure:
        case Measure.NEWEST:
            is_among = facts.place is None or facts.place <= rule.amount
            return NEVER if is_among else None
        case Measure.ALWAYS:
            return NEVER
        case Measure.HELD:
            return facts.held_until
        case Measure.IN_USE:
            return facts.in_use_until
        case Measure.AGE | Measure.IDLE:
            return _since(rule, facts)


def _own_end(rule: Rule, facts: Facts, *, now: datetime) -> datetime | None:
    if not _speaks_of(rule.conditions, facts):
        return None
    if rule.measure is Measure.NEWEST:
        return now if facts.place is not None and facts.place > rule.amount else None
    return _since(rule, facts)


def _since(rule: Rule, facts: Facts) -> datetime:
    start = facts.stored_at
    if rule.measure is Measure.IDLE and facts.downloaded_at is not None:
        start = max(start, facts.downloaded_at)
    return start + timedelta(days=rule.amount)


def _speaks_of(conditions: Conditions, facts: Facts) -> bool:
    asked = (
        _names(conditions, facts.path, facts.ref, is_protected=facts.is_protected),
        not conditions.outcomes or facts.outcome in conditions.outcomes,
        not conditions.predicates or not facts.predicates.isdisjoint(conditions.predicates),
        conditions.size_from_bytes is None or facts.size_bytes >= conditions.size_from_bytes,
        conditions.size_to_bytes is None or facts.size_bytes <= conditions.size_to_bytes,
        conditions.is_yanked in (None, facts.is_yanked),
    )
    return all(asked)


def _names(conditions: Conditions, path: str, ref: str, *, is_protected: bool) -> bool:
    return (
        (not conditions.paths or any(one.matches(path) for one in conditions.paths))
        and (not conditions.refs or any(one.matches(ref) for one in conditions.refs))
        and conditions.is_protected in (None, is_protected)
    )
