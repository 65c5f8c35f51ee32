"""Batches are claimed one after the other, and finished side by side where that was asked for."""

import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar

import pytest

from kernel.batches import work_off

WHOSE: ContextVar[str] = ContextVar("whose")


class Queue:
    """So many numbers, claimed three at a time; `finished` says in which thread and context."""

    def __init__(self, count: int) -> None:
        self._numbers = list(range(count))
        self.finished: list[tuple[list[int], bool, str]] = []

    def claim(self) -> Sequence[int]:
        batch, self._numbers = self._numbers[:3], self._numbers[3:]
        return batch

    def finish(self, batch: Sequence[int]) -> None:
        is_here = threading.current_thread() is threading.main_thread()
        self.finished.append((list(batch), is_here, WHOSE.get("nobody's")))

    def work_off(
        self, *, at_once: int, finish: Callable[[Sequence[int]], None] | None = None
    ) -> int:
        return work_off(claim=self.claim, finish=finish or self.finish, size=3, at_once=at_once)


@pytest.mark.parametrize("count", [0, 1, 3, 6, 7])
@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_finishes_every_batch_once(count: int, at_once: int) -> None:
    queue = Queue(count)

    assert queue.work_off(at_once=at_once) == count

    assert sorted(number for batch, _, _ in queue.finished for number in batch) == [*range(count)]


@pytest.mark.parametrize(("count", "at_once"), [(7, 1), (2, 2)])
def test_stays_in_its_thread_where_nothing_is_to_be_side_by_side(count: int, at_once: int) -> None:
    queue = Queue(count)

    queue.work_off(at_once=at_once)

    assert all(is_here for _, is_here, _ in queue.finished)


def test_has_two_under_way_and_no_more() -> None:
    queue, met = Queue(12), threading.Barrier(2, timeout=60)
    lock, under_way, most = threading.Lock(), 0, 0

    def finish(_batch: Sequence[int]) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        met.wait()  # goes on only when another one is here too
        with lock:
            under_way -= 1

    queue.work_off(at_once=2, finish=finish)

    assert most == 2


def test_takes_the_context_along() -> None:
    queue = Queue(6)
    token = WHOSE.set("this task's")
    try:
        queue.work_off(at_once=2)
    finally:
        WHOSE.reset(token)

    assert [whose for _, _, whose in queue.finished] == ["this task's"] * 2


def test_claims_no_more_after_a_failure_and_finishes_the_others() -> None:
    queue = Queue(30)

    def finish(batch: Sequence[int]) -> None:
        if 3 in batch:
            raise ValueError("the second")
        queue.finish(batch)

    with pytest.raises(ValueError, match="the second"):
        queue.work_off(at_once=2, finish=finish)

    assert [0, 1, 2] in [batch for batch, _, _ in queue.finished]
    assert len(queue.finished) < 9
    assert queue.claim()
