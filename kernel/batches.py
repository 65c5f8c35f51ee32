"""Work off a queue batch by batch, several side by side where the work is mostly waiting."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

from kernel.connections import give_back

Item = TypeVar("Item")


def work_off(
    *,
    claim: Callable[[], Sequence[Item]],
    finish: Callable[[Sequence[Item]], None],
    size: int,
    at_once: int,
) -> int:
    """Claim and finish batches until one was not full; say how many items there were.

    Always claimed in this thread, and finished in it too, unless `at_once` is more than 1 and
    full batches of `size` are waiting: then so many are finished side by side, each in a thread
    whose connection is given back.

    Raises:
        Exception: whatever `claim` or the first failing `finish` raised. Nothing more is claimed
            then, and the batches that are under way are finished before.
    """
    claimed = 0
    under_way: set[Future[None]] = set()
    with ThreadPoolExecutor(at_once, thread_name_prefix="batch") as pool:
        while batch := claim():
            claimed += len(batch)
            is_last = len(batch) < size
            if at_once == 1 or (is_last and not under_way):
                finish(batch)
            else:
                under_way.add(pool.submit(copy_context().run, _finish_aside, finish, batch))
            if is_last:
                break
            if len(under_way) == at_once:
                under_way = _without_finished(under_way)
    for rest in under_way:
        rest.result()
    return claimed


def _without_finished(under_way: set[Future[None]]) -> set[Future[None]]:
    finished, unfinished = wait(under_way, return_when=FIRST_COMPLETED)
    for one in finished:
        one.result()
    return unfinished


def _finish_aside(finish: Callable[[Sequence[Item]], None], batch: Sequence[Item]) -> None:
    try:
        finish(batch)
    finally:
        give_back()
