"""A retention policy …"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.patterns import Pattern
from artifacts.domain.retention import (
    ASKED_BY_JOB,
    IN_USE,
    LEGAL_HOLD,
    NEVER,
    Attached,
    Cited,
    Conditions,
    Decision,
    Facts,
    Level,
    Measure,
    Rule,
    decide,
    immutable_by,
)
from artifacts.domain.retention_document import read_policy
from tests.factories.retention_policies import policies

STORED = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOW = STORED + timedelta(days=10)


def facts(**others: Any) -> Facts:
    given: dict[str, Any] = {
        "path": "dist/widget.tar",
        "ref": "refs/heads/main",
        "is_protected": True,
        "outcome": BuildState.PUBLISHED,
        "size_bytes": 100,
        "stored_at": STORED,
    }
    return Facts(**{**given, **others})


def of_project(document: object, version: int = 1) -> Attached:
    return Attached(Level.PROJECT, version, read_policy(document))


def of_organization(document: object, version: int = 7) -> Attached:
    return Attached(Level.ORGANIZATION, version, read_policy(document))


def decided(*policies: Attached, now: datetime = NOW, **others: Any) -> Decision:
    return decide(facts(**others), policies, now=now)


def by(decision: Decision) -> tuple[str | None, str | None]:
    """The names of the rule and of what kept longer."""
    return (
        decision.rule.name if decision.rule else None,
        decision.kept_by.name if decision.kept_by else None,
    )


def days(number: int) -> datetime:
    return STORED + timedelta(days=number)


AFTER_90 = {"name": "main-90d", "after_days": 90}


def test_keeps_everything_where_nothing_is_said() -> None:
    assert decided() == Decision(None)
    assert decided(of_project({})) == Decision(None)


def test_names_rule_level_and_version() -> None:
    found = decided(of_organization({"expire": [AFTER_90]}))

    assert found.expires_at == days(90)
    assert found.rule is not None
    assert (found.rule.name, found.rule.level.word, found.rule.version) == (
        "main-90d",
        "organization",
        7,
    )


def test_expires_from_the_second_on_and_not_before() -> None:
    found = decided(of_project({"expire": [AFTER_90]}))

    assert not found.is_expired(now=days(90) - timedelta(microseconds=1))
    assert found.is_expired(now=days(90))


def test_takes_the_first_moment_of_all_levels() -> None:
    found = decided(
        of_organization({"expire": [AFTER_90]}),
        of_project({"expire": [{"name": "sooner", "after_days": 5}]}),
    )

    assert (found.expires_at, by(found)) == (days(5), ("sooner", None))


def test_takes_the_highest_level_of_equal_moments() -> None:
    lower = of_project({"expire": [{"name": "lower", "after_days": 90}]})

    assert by(decided(lower, of_organization({"expire": [AFTER_90]}))) == ("main-90d", None)


@pytest.mark.parametrize("level", [Level.INSTANCE, Level.ORGANIZATION, Level.PROJECT])
def test_keeps_by_a_rule_of_any_level(level: Level) -> None:
    keep = Attached(level, 1, read_policy({"keep": [{"name": "all"}]}))

    found = decided(of_organization({"expire": [AFTER_90]}), keep)

    assert (found.expires_at, by(found)) == (None, ("main-90d", "all"))


def test_moves_the_moment_by_a_keep_rule_that_ends() -> None:
    policy = {"keep": [{"name": "a-year", "for_days": 365}], "expire": [AFTER_90]}

    found = decided(of_project(policy))

    assert (found.expires_at, by(found)) == (days(365), ("main-90d", "a-year"))


def test_a_final_rule_gives_way_only_to_its_own_level_and_higher_ones() -> None:
    final = of_organization({"expire": [{**AFTER_90, "is_final": True}]})
    keep = {"keep": [{"name": "mine"}]}

    assert decided(final, of_project(keep)).expires_at == days(90)
    assert decided(final, Attached(Level.INSTANCE, 1, read_policy(keep))).expires_at is None
    together = of_organization({"keep": [{"name": "ours"}], **_final()})
    assert decided(together).expires_at is None


def _final() -> dict[str, Any]:
    return {"expire": [{**AFTER_90, "is_final": True}]}


def test_counts_idle_days_from_the_last_download() -> None:
    policy = of_project({"expire": [{"name": "idle", "idle_days": 30}]})

    assert decided(policy).expires_at == days(30)
    assert decided(policy, downloaded_at=days(20)).expires_at == days(50)


def test_keeps_what_was_downloaded_lately() -> None:
    policy = {"keep": [{"name": "used", "downloaded_within_days": 60}], "expire": [AFTER_90]}

    assert decided(of_project(policy), downloaded_at=days(80)).expires_at == days(140)


@pytest.mark.parametrize(("place", "expires_at"), [(1, None), (3, None), (4, NOW)])
def test_expires_what_is_beyond_the_newest_when_they_are_counted(
    place: int, expires_at: datetime | None
) -> None:
    policy = of_project({"expire": [{"name": "surplus", "beyond_newest": 3}]})

    assert decided(policy, place=place).expires_at == expires_at


def test_lets_count_rules_keep_and_not_expire_where_nobody_counted() -> None:
    surplus = of_project({"expire": [{"name": "surplus", "beyond_newest": 3}]})
    newest = of_project({"keep": [{"name": "newest", "newest": 3}], "expire": [AFTER_90]})

    assert decided(surplus).expires_at is None
    assert decided(newest).expires_at is None
    assert decided(newest, place=4).expires_at == days(90)


def test_lets_a_job_ask_for_a_shorter_life() -> None:
    found = decided(of_project({"expire": [AFTER_90]}), asked_life=timedelta(days=3))

    assert (found.expires_at, found.rule) == (days(3), ASKED_BY_JOB)


def test_gives_no_job_a_longer_life() -> None:
    found = decided(of_project({"expire": [AFTER_90]}), asked_life=timedelta(days=365))

    assert found.expires_at == days(90)


def test_keeps_what_a_job_gave_up_but_a_rule_keeps() -> None:
    found = decided(of_project({"keep": [{"name": "all"}]}), asked_life=timedelta(days=3))

    assert (found.expires_at, by(found)) == (None, ("asked-by-job", "all"))


@pytest.mark.parametrize(
    ("when", "others"),
    [
        ({"paths": ["dist/*.tar"]}, {"path": "dist/sub/widget.tar"}),
        ({"paths": ["dist/**"]}, {"path": "Dist/widget.tar"}),
        ({"refs": ["refs/heads/main"]}, {"ref": "refs/heads/mainline"}),
        ({"refs": ["refs/tags/*", "refs/heads/*"]}, {"ref": ""}),
        ({"is_protected": True}, {"is_protected": False}),
        ({"outcomes": ["published"]}, {"outcome": BuildState.REFUSED}),
        ({"predicates": ["https://slsa.dev/provenance/v1"]}, {}),
        ({"size_from_bytes": 101}, {}),
        ({"size_to_bytes": 99}, {}),
        ({"paths": ["**"], "is_protected": False}, {}),
        ({"is_yanked": True}, {}),
        ({"is_yanked": False}, {"is_yanked": True}),
    ],
)
def test_says_nothing_of_what_one_condition_excludes(
    when: dict[str, Any], others: dict[str, Any]
) -> None:
    policy = of_project({"expire": [{**AFTER_90, "when": when}]})

    assert decided(policy, **others) == Decision(None)


@pytest.mark.parametrize(
    "when",
    [
        {"paths": ["other", "dist/*.tar"]},
        {"paths": ["**"]},
        {"refs": ["refs/heads/*"]},
        {"is_protected": True},
        {"outcomes": ["refused", "published"]},
        {"predicates": ["https://slsa.dev/provenance/v1", "other"]},
        {"size_from_bytes": 100, "size_to_bytes": 100},
        {"is_yanked": False},
    ],
)
def test_speaks_of_what_all_conditions_name(when: dict[str, Any]) -> None:
    policy = of_project({"expire": [{**AFTER_90, "when": when}]})
    present = frozenset({"https://slsa.dev/provenance/v1"})

    assert decided(policy, predicates=present).expires_at == days(90)


@pytest.mark.parametrize(
    ("protection", "cited"), [("held_until", LEGAL_HOLD), ("in_use_until", IN_USE)]
)
@pytest.mark.parametrize("is_final", [True, False])
def test_never_ends_what_is_protected(protection: str, cited: Cited, *, is_final: bool) -> None:
    policy = Attached(
        Level.INSTANCE, 1, read_policy({"expire": [{**AFTER_90, "is_final": is_final}]})
    )

    for until, expires_at in [(NEVER, None), (days(100), days(100)), (days(80), days(90))]:
        decision = decided(policy, **{protection: until})
        assert decision.expires_at == expires_at
        assert decision.kept_by == (cited if until != days(80) else None)


@pytest.mark.parametrize("name", ["a.b", "a+b", "a(b", "a\\b", "a$", "^a", "a|b", "a[b]", "a{2}"])
def test_takes_every_other_character_of_a_pattern_as_itself(name: str) -> None:
    assert Pattern(name).matches(name)
    assert not Pattern(name).matches("aab")


@pytest.mark.parametrize(
    ("text", "name"), [("refs/tags/**", "refs/tags/v1"), ("a*b*", "ab"), ("**", "x"), ("a", "a")]
)
def test_begins_as_every_name_of_its_pattern_does(text: str, name: str) -> None:
    assert Pattern(text).matches(name)
    assert name.startswith(Pattern(text).beginning)
    assert Pattern(text).beginning == text.partition("*")[0]


POLICIES = policies(
    [
        Conditions(),
        Conditions(paths=(Pattern("dist/**"),)),
        Conditions(refs=(Pattern("refs/tags/*"),)),
        Conditions(is_protected=True),
    ]
)
FACTS = st.builds(
    facts,
    ref=st.sampled_from(["refs/heads/main", "refs/tags/v1", ""]),
    is_protected=st.booleans(),
    downloaded_at=st.none() | st.integers(0, 8).map(days),
    place=st.none() | st.integers(1, 7),
    asked_life=st.none() | st.integers(0, 6).map(lambda number: timedelta(days=number)),
    held_until=st.none() | st.integers(0, 16).map(days),
    in_use_until=st.none() | st.integers(0, 16).map(days),
)


@given(FACTS, POLICIES, st.integers(0, 16))
def test_agrees_with_a_naive_reading_of_the_rules(
    about: Facts, attached: list[Attached], day: int
) -> None:
    now = days(day)

    assert decide(about, attached, now=now).is_expired(now=now) == _naively_expired(
        about, attached, now
    )


def _naively_expired(about: Facts, attached: list[Attached], now: datetime) -> bool:
    """Some expire rule has come true by now, and no keep rule that it heeds is true now."""
    if any(until is not None and now < until for until in (about.held_until, about.in_use_until)):
        return False
    keep = [(one.level, rule) for one in attached for rule in one.policy.keep]
    expire = [(one.level, rule) for one in attached for rule in one.policy.expire]
    keeping = [level for level, rule in keep if _names(rule, about) and _keeps(rule, about, now)]
    ended = [
        not any(level <= own or not rule.is_final for level in keeping)
        for own, rule in expire
        if _names(rule, about) and _ends(rule, about, now)
    ]
    gave_up = about.asked_life is not None and about.stored_at + about.asked_life <= now
    return any(ended) or (gave_up and not keeping)


def _names(rule: Rule, about: Facts) -> bool:
    asked = rule.conditions
    return (
        (not asked.paths or about.path.startswith("dist/"))
        and (not asked.refs or about.ref.startswith("refs/tags/"))
        and (asked.is_protected is None or about.is_protected)
    )


def _keeps(rule: Rule, about: Facts, now: datetime) -> bool:
    if rule.measure is Measure.ALWAYS:
        return True
    if rule.measure is Measure.NEWEST:
        return about.place is None or about.place <= rule.amount
    return now < _since(rule, about) + timedelta(days=rule.amount)


def _ends(rule: Rule, about: Facts, now: datetime) -> bool:
    if rule.measure is Measure.NEWEST:
        return about.place is not None and about.place > rule.amount
    return now >= _since(rule, about) + timedelta(days=rule.amount)


def _since(rule: Rule, about: Facts) -> datetime:
    if rule.measure is Measure.AGE or about.downloaded_at is None:
        return about.stored_at
    return max(about.stored_at, about.downloaded_at)


VERSIONS = {"immutable": [{"name": "versions", "when": {"paths": ["dist/*"]}}]}
TAGS = {"immutable": [{"name": "tags", "when": {"refs": ["refs/tags/**"], "is_protected": True}}]}


@pytest.mark.parametrize(
    ("path", "ref", "is_protected", "rule"),
    [
        ("dist/a", "refs/heads/main", False, "versions"),
        ("dist/a/b", "refs/heads/main", True, None),
        ("doc/a", "refs/tags/v1", True, "tags"),
        ("doc/a", "refs/tags/v1", False, None),
        ("dist/a", "refs/tags/v1", True, "tags"),
    ],
)
def test_gives_some_names_once(
    path: str, ref: str, rule: str | None, *, is_protected: bool
) -> None:
    found = immutable_by(
        path, ref, is_protected=is_protected, policies=[of_project(VERSIONS), of_organization(TAGS)]
    )

    assert (found.name if found is not None else None) == rule
