"""A conditional request …"""

from datetime import UTC, datetime

import pytest

from artifacts.domain.conditions import (
    Conditions,
    Outcome,
    Validators,
    judge,
    parse_http_date,
    range_still_applies,
)
from kernel.digest import Sha256

DIGEST = Sha256("ab" * 32)
ETAG = f'"sha256:{"ab" * 32}"'
CURRENT = Validators.of(DIGEST, datetime(2026, 3, 1, 12, 0, 0, 999, tzinfo=UTC))
THEN = "Sun, 01 Mar 2026 12:00:00 GMT"
BEFORE = "Sun, 01 Mar 2026 11:59:59 GMT"
AFTER = "Sun, 01 Mar 2026 12:00:01 GMT"


def test_has_the_digest_as_its_strong_tag_and_a_time_of_whole_seconds() -> None:
    assert CURRENT.etag == ETAG
    assert CURRENT.last_modified == THEN


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(),
        Conditions(if_match=ETAG),
        Conditions(if_match="*"),
        Conditions(if_match=f'"other", {ETAG}'),
        Conditions(if_match=f'"a,b",{ETAG}'),
        Conditions(if_unmodified_since=THEN),
        Conditions(if_unmodified_since=AFTER),
        Conditions(if_unmodified_since="yesterday"),
        Conditions(if_none_match='"other"'),
        Conditions(if_none_match=""),
        Conditions(if_none_match="other"),
        Conditions(if_modified_since=BEFORE),
        Conditions(if_modified_since="yesterday"),
        # Precedence: the tag decides, the date beside it is not looked at.
        Conditions(if_match=ETAG, if_unmodified_since=BEFORE),
        Conditions(if_none_match='"other"', if_modified_since=AFTER),
    ],
)
def test_proceeds(conditions: Conditions) -> None:
    assert judge(conditions, CURRENT) is Outcome.PROCEED


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(if_none_match=ETAG),
        Conditions(if_none_match=f"W/{ETAG}"),
        Conditions(if_none_match=f'"other" , W/{ETAG}'),
        Conditions(if_none_match="*"),
        Conditions(if_modified_since=THEN),
        Conditions(if_modified_since=AFTER),
        Conditions(if_match=ETAG, if_none_match=ETAG),
    ],
)
def test_is_answered_as_not_modified(conditions: Conditions) -> None:
    assert judge(conditions, CURRENT) is Outcome.NOT_MODIFIED


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(if_match='"other"'),
        Conditions(if_match=f"W/{ETAG}"),
        Conditions(if_match=""),
        Conditions(if_match="other"),
        Conditions(if_unmodified_since=BEFORE),
        Conditions(if_match='"other"', if_unmodified_since=AFTER, if_none_match=ETAG),
    ],
)
def test_fails(conditions: Conditions) -> None:
    assert judge(conditions, CURRENT) is Outcome.PRECONDITION_FAILED


@pytest.mark.parametrize("if_range", [None, ETAG, f" {ETAG} ", THEN])
def test_keeps_the_range(if_range: str | None) -> None:
    assert range_still_applies(if_range, CURRENT)


@pytest.mark.parametrize(
    "if_range", ['"other"', f"W/{ETAG}", BEFORE, AFTER, "", "other", f'{ETAG}, "b"']
)
def test_drops_the_range(if_range: str) -> None:
    assert not range_still_applies(if_range, CURRENT)


def test_reads_one_form_of_a_date() -> None:
    assert parse_http_date(THEN) == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert parse_http_date("2026-03-01T12:00:00Z") is None
