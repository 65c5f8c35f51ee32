"""A store's inventory … (what the collector sees and removes, in every adapter)."""

import pytest

from artifacts.errors import BlobMissing
from tests.factories.stores import Store, read


def test_keeps_one_of_two_copies(store: Store) -> None:
    first = store.put([b"one", b"two"], expected=None)
    second = store.put([b"onetwo"], expected=None)

    kept = store.merge(second, into=first)

    assert kept == first
    assert read(store, first.key, 6) == b"onetwo"
    assert [one.key for one in store.page(after="")] == [first.key]


def test_lists_every_key_page_by_page(store: Store) -> None:
    keys = sorted(store.put([bytes([number])], expected=None).key for number in range(10))

    listed: list[str] = []
    while page := store.page(after=listed[-1] if listed else ""):
        listed += [one.key for one in page]

    assert listed == keys
    assert store.page(after=keys[-1]) == []


def test_lists_what_was_put_as_the_very_copy_that_was_measured(store: Store) -> None:
    stored = store.put([b"whole"], expected=None)

    [listed] = store.page(after="")

    assert listed.size_bytes == 5
    assert [copy.is_of(5, stored.pin) for copy in listed.copies] == [True]
    assert not any(copy.is_of(4, stored.pin) for copy in listed.copies)


def test_removes_for_good_and_again(store: Store) -> None:
    stored, other = store.put([b"gone"], expected=None), store.put([b"kept"], expected=None)

    store.remove(stored.key)
    store.remove(stored.key)

    with pytest.raises(BlobMissing), store.open(stored.key, size_bytes=4):
        pass
    assert read(store, other.key, 4) == b"kept"
    assert [one.key for one in store.page(after="")] == [other.key]
