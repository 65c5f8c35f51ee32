"""Whether somebody waits in the database, so that a test of two at once can go on."""

from django.db import connection


def is_anybody_blocked() -> bool:
    """Whether a connection waits for a lock, of whatever kind."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        [blocked] = cursor.fetchone()
    return bool(blocked)
