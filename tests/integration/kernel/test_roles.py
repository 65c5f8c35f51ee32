"""The runtime role reads and writes rows; it neither owns the schema nor rewrites history."""

import pytest
from django.db import ProgrammingError, connection
from django.utils import timezone

from config.grants import APPEND_ONLY
from kernel.actor import ANONYMOUS
from kernel.audit.record import record

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_refuses_the_runtime_role_to_delete_history(table: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - a table of ours


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_refuses_the_runtime_role_to_rewrite_history(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table]
        )
        column = cursor.fetchone()[0]

        with pytest.raises(ProgrammingError, match="permission denied"):
            cursor.execute(f"UPDATE {table} SET {column} = {column}")  # noqa: S608 - as above


def test_lets_the_runtime_role_append_to_the_audit_trail() -> None:
    record(ANONYMOUS, "test", "nothing", now=timezone.now())

    with connection.cursor() as cursor:
        cursor.execute("SELECT actor FROM audit_record")
        assert cursor.fetchall() == [("anonymous",)]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "ALTER TABLE build ADD COLUMN mine int",
        "DROP TABLE audit_record",
    ],
)
def test_refuses_the_runtime_role_to_change_the_schema(statement: str) -> None:
    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute(statement)
