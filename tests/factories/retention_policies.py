"""Retention policies of any shape, for properties."""

from collections.abc import Iterable, Sequence

from hypothesis import strategies as st

from artifacts.domain.retention import (
    Attached,
    Conditions,
    Level,
    Measure,
    RetentionPolicy,
    Rule,
)


def policies(conditions: Sequence[Conditions]) -> st.SearchStrategy[list[Attached]]:
    """Up to three, of any levels, whose rules speak of what these conditions name."""
    attached = st.builds(
        Attached,
        level=st.sampled_from([Level.INSTANCE, Level.ORGANIZATION, Level.PROJECT]),
        version=st.integers(1, 3),
        policy=st.builds(
            RetentionPolicy,
            keep=st.lists(_rules(Measure, conditions, st.just(value=False)), max_size=3).map(tuple),
            expire=st.lists(
                _rules(set(Measure) - {Measure.ALWAYS}, conditions, st.booleans()), max_size=4
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
