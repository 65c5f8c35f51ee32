"""A record of the audit trail, told."""

from console.trail import Change, told


def test_tells_what_changed_why_and_what_else() -> None:
    found = told(
        {
            "before": {"enforcement": "observe", "version": 1, "same": 1},
            "after": {"enforcement": "enforce", "version": 2, "same": 1},
            "reason": "the release is near",
            "member_count": 3,
        }
    )

    assert found.changes == (
        Change("enforcement", "observe", "enforce"),
        Change("version", "1", "2"),
    )
    assert found.reason == "the release is near"
    assert found.facts == (("member count", "3"),)


def test_tells_what_began_and_what_ended() -> None:
    assert told({"before": None, "after": {"role": "owner"}}).changes == (
        Change("role", "nothing", "owner"),
    )
    assert told({"before": "old", "after": None}).changes == (Change("value", "old", "nothing"),)
    assert told({}).changes == ()


def test_tells_parts_within_parts_by_where_they_stand() -> None:
    before = {"bytes": {"hard": 5, "soft": None}, "files": None}
    after = {"bytes": {"hard": 6, "soft": 1}, "files": {"hard": 9}}

    assert told({"before": before, "after": after}).changes == (
        Change("bytes hard", "5", "6"),
        Change("bytes soft", "nothing", "1"),
        Change("files hard", "nothing", "9"),
    )
