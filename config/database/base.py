"""Django's PostgreSQL with another look at kept connections: DATABASES names this package.

Django asks the server for a sign of life whenever a connection is taken from the pool: a round
trip before each of the two that an upload needs. A server that has gone has closed its end, which
the socket tells without asking; only what closes no sockets, such as a machine without power, is
noticed by asking.
"""

from select import POLLIN, poll
from time import monotonic
from typing import Any, Final

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from psycopg import Connection
from psycopg_pool import ConnectionPool

# Unasked for so long, a connection is asked again.
TRUSTED_SECONDS: Final = 1.0


class Kept(Connection[Any]):
    """A connection that remembers when it was asked last."""

    asked_at = float("-inf")


def check(connection: Kept) -> None:
    """Ask a connection that nobody has asked for a while, or at whose socket something waits.

    Raises:
        OperationalError: it does not work any more.
    """
    socket = poll()
    socket.register(connection.fileno(), POLLIN)
    now = monotonic()
    if socket.poll(0) or now - connection.asked_at >= TRUSTED_SECONDS:
        ConnectionPool.check_connection(connection)
        connection.asked_at = now


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL; with `pool` among its OPTIONS, a pool whose connections are checked so."""

    @property
    def pool(self) -> ConnectionPool[Kept] | None:
        """The pool of this process; None where there is none."""
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == NO_DB_ALIAS or not options:
            return None
        pools: dict[str, ConnectionPool[Kept]] = self._connection_pools  # type: ignore[attr-defined] # Django's own
        if self.alias not in pools:
            # Of two threads at once one's is kept, and the other's was never opened.
            pools.setdefault(self.alias, self._new_pool(options))
        return pools[self.alias]

    def _new_pool(self, options: dict[str, Any]) -> ConnectionPool[Kept]:
        return ConnectionPool(
            connection_class=Kept,
            kwargs={**self.get_connection_params(), "autocommit": True},  # Django turns it off
            open=False,
            configure=self._configure_connection,  # type: ignore[attr-defined] # as above
            check=check,
            **options,
        )
