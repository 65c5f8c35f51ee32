"""The role that owns the tables, for commands that do what no server may."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings
from django.core.management import CommandError
from django.db import DEFAULT_DB_ALIAS, connections

MIGRATOR: Final = "migrator"


def require_owner() -> None:
    """Refuse to go on without the owner's address.

    Raises:
        CommandError: it is not among the settings.
    """
    if MIGRATOR not in settings.DATABASES:
        raise CommandError(
            "STRONGROOM_MIGRATOR_DATABASE_URL is not set; this is done as the role that "
            "owns the schema, never as the runtime role"
        )


@contextmanager
def as_owner() -> Iterator[None]:
    """Let this thread ask the database as the owner, in a connection that ends with it.

    Raises:
        CommandError: there is no address of the owner.
    """
    require_owner()
    runtime, owner = connections[DEFAULT_DB_ALIAS], connections.create_connection(MIGRATOR)
    connections[DEFAULT_DB_ALIAS] = owner
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = runtime
        owner.close()
