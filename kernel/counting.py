"""How many rows there are, said without counting to the end."""

from typing import TYPE_CHECKING, Any, Final

from django.db import connection

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

MOST_COUNTED: Final = 10_000


def estimated_rows(model: "type[Model]") -> int:
    """How many rows the database thinks there are; never counts. 0 before its first ANALYZE."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass",
            [f'"{model._meta.db_table}"'],  # noqa: SLF001 - Django's documented name
        )
        return int(cursor.fetchone()[0])


def counted(found: "QuerySet[Any]") -> str:
    """How many rows, as people say it; counted no further than a reader cares."""
    number = found.order_by()[: MOST_COUNTED + 1].count()
    return f"{number:,}" if number <= MOST_COUNTED else f"more than {MOST_COUNTED:,}"
