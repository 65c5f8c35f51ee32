"""What requests change is taken back, so that each finds the same store."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever is written inside."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # noqa: SLF001 - as Django's own tests
    with block:
        yield
        transaction.set_rollback(True)
