"""The document of a retention policy …"""

from typing import Any

import pytest

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.patterns import MAX_PATTERN_CHARACTERS, Pattern
from artifacts.domain.retention import Conditions, Measure, RetentionPolicy, Rule
from artifacts.domain.retention_document import (
    MAX_RULES,
    MalformedRetentionPolicy,
    read_policy,
)

WHEN = {
    "paths": ["dist/**"],
    "refs": ["refs/heads/main", "refs/tags/v*"],
    "is_protected": True,
    "outcomes": ["published"],
    "predicates": ["https://slsa.dev/provenance/v1"],
    "size_from_bytes": 1,
    "size_to_bytes": 10,
}


def test_is_read_whole() -> None:
    document = {
        "keep": [
            {"name": "everything-named", "when": WHEN},
            {"name": "a-month", "for_days": 30},
            {"name": "used", "downloaded_within_days": 7},
            {"name": "newest", "newest": 5},
        ],
        "expire": [
            {"name": "old", "after_days": 90, "is_final": True},
            {"name": "idle", "idle_days": 30},
            {"name": "surplus", "beyond_newest": 20},
        ],
    }
    conditions = Conditions(
        paths=(Pattern("dist/**"),),
        refs=(Pattern("refs/heads/main"), Pattern("refs/tags/v*")),
        is_protected=True,
        outcomes=(BuildState.PUBLISHED,),
        predicates=("https://slsa.dev/provenance/v1",),
        size_from_bytes=1,
        size_to_bytes=10,
    )

    assert read_policy(document) == RetentionPolicy(
        keep=(
            Rule("everything-named", Measure.ALWAYS, conditions=conditions),
            Rule("a-month", Measure.AGE, 30),
            Rule("used", Measure.IDLE, 7),
            Rule("newest", Measure.NEWEST, 5),
        ),
        expire=(
            Rule("old", Measure.AGE, 90, is_final=True),
            Rule("idle", Measure.IDLE, 30),
            Rule("surplus", Measure.NEWEST, 20),
        ),
    )


def test_may_say_nothing() -> None:
    assert read_policy({}) == RetentionPolicy()


def expire(**members: Any) -> dict[str, Any]:
    return {"expire": [{"name": "old", "after_days": 90, **members}]}


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (None, ""),
        ([], ""),
        ({"expires": []}, "/expires"),
        ({"a/b~c": []}, "/a~1b~0c"),
        ({"keep": {}}, "/keep"),
        ({"keep": [{"name": f"r{n}"} for n in range(MAX_RULES + 1)]}, "/keep"),
        ({"keep": ["all"]}, "/keep/0"),
        ({"keep": [{}]}, "/keep/0/name"),
        ({"keep": [{"name": "All of it"}]}, "/keep/0/name"),
        ({"keep": [{"name": "a", "is_final": True}]}, "/keep/0/is_final"),
        ({"keep": [{"name": "a", "after_days": 1}]}, "/keep/0/after_days"),
        ({"keep": [{"name": "a", "for_days": 1, "newest": 1}]}, "/keep/0"),
        ({"keep": [{"name": "a"}, {"name": "a"}]}, "/keep/1/name"),
        ({"keep": [{"name": "old"}], **expire()}, "/expire/0/name"),
        ({"expire": [{"name": "a"}]}, "/expire/0"),
        ({"immutable": {}}, "/immutable"),
        ({"immutable": [1]}, "/immutable/0"),
        ({"immutable": [{"name": "a", "for_days": 1}]}, "/immutable/0/for_days"),
        ({"immutable": [{"name": "a", "when": []}]}, "/immutable/0/when"),
        (
            {"immutable": [{"name": "a", "when": {"size_to_bytes": 1}}]},
            "/immutable/0/when/size_to_bytes",
        ),
        ({"keep": [{"name": "a"}], "immutable": [{"name": "a"}]}, "/immutable/0/name"),
        (expire(when={"is_yanked": "yes"}), "/expire/0/when/is_yanked"),
        (expire(idle_days=1), "/expire/0"),
        (expire(after_days=0), "/expire/0/after_days"),
        (expire(after_days=True), "/expire/0/after_days"),
        (expire(after_days=90.0), "/expire/0/after_days"),
        (expire(after_days="90"), "/expire/0/after_days"),
        (expire(after_days=10**9), "/expire/0/after_days"),
        (expire(is_final="yes"), "/expire/0/is_final"),
        (expire(when=[]), "/expire/0/when"),
        (expire(when={"path": ["a"]}), "/expire/0/when/path"),
        (expire(when={"paths": "dist/**"}), "/expire/0/when/paths"),
        (expire(when={"paths": []}), "/expire/0/when/paths"),
        (expire(when={"paths": ["a", 1]}), "/expire/0/when/paths/1"),
        (expire(when={"paths": [""]}), "/expire/0/when/paths/0"),
        (expire(when={"paths": ["a***"]}), "/expire/0/when/paths/0"),
        (expire(when={"paths": ["*a" * 9]}), "/expire/0/when/paths/0"),
        (expire(when={"refs": ["a\x00"]}), "/expire/0/when/refs/0"),
        (expire(when={"refs": ["\ud800"]}), "/expire/0/when/refs/0"),
        (expire(when={"refs": ["a" * (MAX_PATTERN_CHARACTERS + 1)]}), "/expire/0/when/refs/0"),
        (expire(when={"refs": ["a"] * 21}), "/expire/0/when/refs"),
        (expire(when={"is_protected": 1}), "/expire/0/when/is_protected"),
        (expire(when={"outcomes": ["open"]}), "/expire/0/when/outcomes/0"),
        (expire(when={"predicates": ["a\x00"]}), "/expire/0/when/predicates/0"),
        (expire(when={"predicates": ["a" * 201]}), "/expire/0/when/predicates/0"),
        (expire(when={"size_from_bytes": -1}), "/expire/0/when/size_from_bytes"),
        (expire(when={"size_to_bytes": 2**63}), "/expire/0/when/size_to_bytes"),
    ],
)
def test_is_refused_at_the_exact_place(document: Any, place: str) -> None:
    with pytest.raises(MalformedRetentionPolicy) as refused:
        read_policy(document)

    assert refused.value.facts["place"] == place
