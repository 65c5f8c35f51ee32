"""The database's connection: within a transaction, beside long work, over a restart."""

from collections.abc import Callable
from typing import Final, TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.db.transaction import TransactionManagementError

Done = TypeVar("Done")

# With the pool's own wait for a connection (3 s) about half a minute.
RESTART_PAUSES_SECONDS: Final = (0.5, 1.0, 2.0, 4.0, 8.0)


def joins_transaction(verb: str) -> None:
    """Assert that a transaction is open: this verb opens none, and is part of its caller's.

    Raises:
        TransactionManagementError: there is none.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError(f"{verb} joins a transaction")


def give_back() -> None:
    """Return this thread's connection to the pool; the next query takes one again.

    Inside a transaction it stays: it is not ours alone there.
    """
    if not connection.in_atomic_block:
        connection.close()


def over_a_restart(step: Callable[[], Done], *, wait: Callable[[float], None]) -> Done:
    """Do a step that may run twice, and again while the database is being restarted.

    Raises:
        OperationalError, InterfaceError: the database has been away for about half a minute.
    """
    for pause in RESTART_PAUSES_SECONDS:
        try:
            return step()
        except (OperationalError, InterfaceError):
            give_back()
            wait(pause)
    return step()
