"""The runtime role reads and writes rows; it neither owns the schema nor rewrites history."""

import pytest
from django.db import ProgrammingError, connection, connections
from django.utils import timezone

from config.grants import APPEND_ONLY, FORGETTABLE, apply_grants
from kernel.actor import ANONYMOUS
from kernel.audit.record import record

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_refuses_the_runtime_role_to_delete_history(table: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - a table of ours


@pytest.mark.parametrize("table", [*APPEND_ONLY, *FORGETTABLE])
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


@pytest.mark.django_db(databases=["default", "migrator"])
def test_makes_the_policies_of_rows_once() -> None:
    """What is so already is left alone, and a policy that no table names any more goes."""
    made = policies()
    apply_grants(migrator="migrator")
    assert policies() == made

    with connections["migrator"].cursor() as cursor:
        cursor.execute("CREATE POLICY everything ON bulk_action_item FOR DELETE USING (true)")
    apply_grants(migrator="migrator")

    again = policies()
    assert set(again) == set(made)
    assert {table for table, _policy in made} == set(FORGETTABLE)


def policies() -> dict[tuple[str, str], int]:
    """Each policy of a table, with its identity, as the owner of the tables sees them."""
    with connections["migrator"].cursor() as cursor:
        cursor.execute("SELECT polrelid::regclass::text, polname, oid FROM pg_policy")
        return {(table, policy): identity for table, policy, identity in cursor.fetchall()}
