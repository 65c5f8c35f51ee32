"""The form of a retention policy …"""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.patterns import Pattern
from artifacts.domain.retention import Attached, Conditions
from artifacts.domain.retention_document import read_policy
from console.drafts import begun, sent, with_another_rule
from console.rule_form import Row, document_of, is_sayable, line_of, rows_of, written
from console.rules import differences, said
from tests.factories.retention_policies import document_of as document_of_policy
from tests.factories.retention_policies import policies

WHOLE: dict[str, Any] = {
    "keep": [
        {
            "name": "releases",
            "when": {"refs": ["refs/tags/v*"], "is_protected": True, "is_yanked": False},
        },
        {"name": "newest", "newest": 3},
    ],
    "expire": [
        {
            "name": "large",
            "when": {
                "paths": ["dist/**", "a path with spaces"],
                "outcomes": ["published"],
                "predicates": ["https://slsa.dev/provenance/v1"],
                "size_from_bytes": 1024,
                "size_to_bytes": 4096,
            },
            "idle_days": 30,
            "is_final": True,
        }
    ],
}
OF_LARGE = (
    "ends what has path dist/** or a path with spaces; outcome published; predicate "
    "https://slsa.dev/provenance/v1; at least 1.0 KiB; at most 4.0 KiB: 30 days after the last "
    "download, or the storing, whatever lower levels keep"
)
CONDITIONS = [
    Conditions(),
    Conditions(paths=(Pattern("dist/*"), Pattern("doc/**"))),
    Conditions(refs=(Pattern("refs/heads/main"),), outcomes=(BuildState.REFUSED,)),
    Conditions(size_from_bytes=100),
]


def fields_of(rows: list[Row]) -> dict[str, str]:
    """What a browser sends of a form with these rows."""
    fields = {"version": "1"}
    for number, row in enumerate(rows, start=1):
        texts = {"name": row.name, "term": row.term, "amount": row.amount, **row.when}
        if row.is_final:
            texts["is_final"] = "on"
        fields |= {
            f"rule-{number}-{name}": text.replace("\n", "\r\n") for name, text in texts.items()
        }
    return fields


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(policies(CONDITIONS))
def test_says_and_sends_back_any_policy(drawn: list[Attached]) -> None:
    for attached in drawn:
        document = document_of_policy(attached.policy)

        draft = sent(fields_of(rows_of(document)), 1)

        assert is_sayable(document)
        assert draft.trouble is None
        assert read_policy(draft.document) == read_policy(document)


def test_says_every_condition() -> None:
    assert sent(fields_of(rows_of(WHOLE)), 1).document == WHOLE


def test_leaves_to_json_what_it_cannot_say() -> None:
    for when in ({"outcomes": ["published", "refused"]}, {"paths": [" a"]}):
        document = {"keep": [{"name": "a", "when": when}]}
        read_policy(document)

        assert begun(document, 1).rows is None
    assert begun(WHOLE, 1, as_json=True).rows is None
    assert begun(WHOLE, 1).rows is not None


def test_leaves_out_a_rule_that_is_ticked_so() -> None:
    fields = fields_of(rows_of(WHOLE)) | {"rule-1-drop": "on"}

    assert [one["name"] for one in sent(fields, 1).document["keep"]] == ["newest"]


@pytest.mark.parametrize(
    ("changed", "number", "field"),
    [
        ({"rule-3-amount": "many"}, 2, "amount"),
        ({"rule-3-amount": ""}, 2, "amount"),
        ({"rule-1-name": "Not A Slug"}, 0, "name"),
        ({"rule-2-name": "releases"}, 1, "name"),
        ({"rule-1-refs": "***"}, 0, "refs"),
        ({"rule-3-size_from_bytes": "1 KiB"}, 2, "size_from_bytes"),
        ({"rule-2-is_final": "on"}, 1, "is_final"),
    ],
)
def test_shows_what_is_wrong_at_its_field(changed: dict[str, str], number: int, field: str) -> None:
    draft = sent(fields_of(rows_of(WHOLE)) | changed, 1)

    assert draft.is_at_field
    assert draft.rows is not None
    assert [list(row.troubles) for row in draft.rows] == [
        [field] if place == number else [] for place in range(3)
    ]


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({"keep": [{"name": "a", "for_days": 0}]}, 5),
        ({"keep": [{"name": "a"}, {"for_days": 3}]}, 6),
        ({"keep": [{"name": "a", "nonsense": 1}]}, 5),
        ({"kept": []}, 2),
        ([], None),
    ],
)
def test_tells_the_line_of_what_is_wrong_in_json(document: object, line: int | None) -> None:
    draft = sent({"text": written(document)}, 1)

    assert draft.trouble is not None
    assert draft.line == line


def test_tells_where_a_text_is_no_json() -> None:
    draft = sent({"text": '{\n  "keep": [}'}, 1)

    assert draft.trouble is not None
    assert draft.line == 2
    assert draft.document is None
    assert sent({"text": "[" * 100_000}, 1).trouble is not None


def test_adds_a_rule_without_complaining_yet() -> None:
    draft = with_another_rule(sent(fields_of(rows_of(WHOLE)) | {"rule-1-name": ""}, 1))

    assert draft.trouble is None
    assert draft.rows is not None
    assert len(draft.rows) == 4
    assert document_of(draft.rows)["keep"][0]["name"] == ""


def test_finds_no_line_for_what_is_nowhere() -> None:
    assert line_of({}, "") is None
    assert line_of({"a~/b": 1}, "/a~0~1b") == 2


def test_says_rules_in_words() -> None:
    assert [one.sentence for one in said(read_policy(WHOLE))] == [
        "keeps what has ref refs/tags/v*; a protected ref; not been yanked: for good",
        "keeps everything while it is among the 3 newest of its path and ref",
        OF_LARGE,
    ]


def test_tells_the_differences_of_two_versions() -> None:
    before = {"keep": WHOLE["keep"], "expire": [{"name": "old", "after_days": 90}]}
    after = {"keep": [WHOLE["keep"][0]], "expire": [{"name": "old", "after_days": 1}]}

    told = [(one.word, one.name, one.after) for one in differences(before, after)]

    assert told == [
        ("changed", "old", "ends everything 1 day after the storing"),
        ("gone", "newest", ""),
    ]
    assert differences(None, {}) == []
