"""Give the database connection back before work that takes long and needs none."""

from django.db import connection


def give_back() -> None:
    """Return this thread's connection to the pool; the next query takes one again.

    Inside a transaction it stays: it is not ours alone there.
    """
    if not connection.in_atomic_block:
        connection.close()
