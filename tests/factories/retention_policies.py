"""Retention policies of any shape, for properties."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from hypothesis import strategies as st

from artifacts.domain.retention import (
    Attached,
    Conditions,
    Level,
    Measure,
    RetentionPolicy,
    Rule,
)
from artifacts.models import Project, StoredRetentionPolicy
from artifacts.models.retention import INSTANCE

# What policies can say; the others are the store's own.
WRITTEN: Final = frozenset(Measure) - {Measure.HELD, Measure.IN_USE}


def policies(conditions: Sequence[Conditions]) -> st.SearchStrategy[list[Attached]]:
    """Up to three, of any levels, whose rules speak of what these conditions name."""
    attached = st.builds(
        Attached,
        level=st.sampled_from([Level.INSTANCE, Level.ORGANIZATION, Level.PROJECT]),
        version=st.integers(1, 3),
        policy=st.builds(
            RetentionPolicy,
            keep=st.lists(_rules(WRITTEN, conditions, st.just(value=False)), max_size=3).map(tuple),
            expire=st.lists(
                _rules(WRITTEN - {Measure.ALWAYS}, conditions, st.booleans()), max_size=4
            ).map(tuple),
        ),
    )
    return st.lists(attached, max_size=3)


def _rules(
    measures: Iterable[Measure],
    conditions: Sequence[Conditions],
    is_final: st.SearchStrategy[bool],
) -> st.SearchStrategy[Rule]:
    return st.builds(
        Rule,
        name=st.sampled_from(["a", "b", "c"]),
        measure=st.sampled_from(sorted(measures)),
        amount=st.integers(1, 6),
        conditions=st.sampled_from(conditions),
        is_final=is_final,
    )


def document_of(policy: RetentionPolicy) -> dict[str, Any]:
    """The document that is read as this policy; names are made unique, as documents want them."""
    terms = {
        "keep": {"age": "for_days", "idle": "downloaded_within_days", "newest": "newest"},
        "expire": {"age": "after_days", "idle": "idle_days", "newest": "beyond_newest"},
    }
    document: dict[str, Any] = {}
    for kind, rules in (("keep", policy.keep), ("expire", policy.expire)):
        document[kind] = []
        for number, rule in enumerate(rules):
            when: dict[str, Any] = {}
            asked = rule.conditions
            if asked.paths:
                when["paths"] = [one.text for one in asked.paths]
            if asked.refs:
                when["refs"] = [one.text for one in asked.refs]
            if asked.outcomes:
                when["outcomes"] = [one.value for one in asked.outcomes]
            if asked.size_from_bytes is not None:
                when["size_from_bytes"] = asked.size_from_bytes
            one: dict[str, Any] = {"name": f"{kind}-{number}", "when": when}
            if rule.measure.value in terms[kind]:
                one[terms[kind][rule.measure.value]] = rule.amount
            if rule.is_final:
                one["is_final"] = True
            document[kind].append(one)
    return document


def attach(attached: Sequence[Attached], project: Project) -> list[Attached]:
    """Store these policies; of one level the later is another version, and only that counts."""
    scopes = {
        Level.INSTANCE: INSTANCE,
        Level.ORGANIZATION: project.organization_id,
        Level.PROJECT: project.pk,
    }
    newest = {one.level: one for one in attached}
    StoredRetentionPolicy.objects.bulk_create(
        StoredRetentionPolicy(
            level=level,
            scope_id=scopes[level],
            version=1,
            document=document_of(one.policy),
            set_at=project.created_at,
            set_by="the test",
        )
        for level, one in newest.items()
    )
    return list(newest.values())
