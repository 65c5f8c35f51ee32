"""A build that was counted once …"""

from uuid import UUID

from artifacts.domain.file_counts import Counted, FileCounts

BUILD, OTHER = UUID(int=1), UUID(int=2)


def test_has_room_while_all_transactions_since_would_fit() -> None:
    counts = FileCounts()
    counts.note(BUILD, Counted(files=3, from_transaction=100))

    with_room = [
        below
        for below in (100, 106, 107, 10_000)
        if counts.has_room(BUILD, most_files=10, below_transaction=below)
    ]

    assert with_room == [100, 106]


def test_tells_nothing_of_a_database_whose_numbers_have_gone_back() -> None:
    counted = Counted(files=0, from_transaction=100)

    assert not counted.has_room(most_files=10, below_transaction=99)


def test_tells_nothing_of_builds_that_were_never_counted() -> None:
    counts = FileCounts()
    counts.note(BUILD, Counted(files=0, from_transaction=100))

    assert not counts.has_room(OTHER, most_files=10, below_transaction=100)


def test_is_forgotten_when_a_thousand_others_were_counted_later() -> None:
    counts = FileCounts()
    for number in range(1001):
        counts.note(UUID(int=number), Counted(files=0, from_transaction=100))

    assert not counts.has_room(UUID(int=0), most_files=10, below_transaction=100)
    assert counts.has_room(UUID(int=1), most_files=10, below_transaction=100)
