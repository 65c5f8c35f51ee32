"""What the runtime role may do: read and write rows, and on some tables not even that much.

Applied after every migration, from this table, so that a new table starts with plain row access
and an append-only one is named here (docs/adr/0009).
"""

from collections.abc import Mapping
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper
from psycopg import sql

READ_ONLY: Final = ("django_migrations", "evidence_end")
APPEND_ONLY: Final = (
    "attestation",
    "attestation_subject",
    "audit_checkpoint",
    "audit_record",
    "audit_seal",
    "bulk_action",
    "bulk_action_outcome",
    "discrepancy",
    "download",
    "freed_blob",
    "hold",
    "hold_consent",
    "hold_lifting",
    "list_fate",
    "log_checkpoint",
    "log_leaf",
    "log_node",
    "reconciliation",
    "retention_plan",
    "retention_plan_rule",
    "retention_policy",
    "retention_preview",
    "retention_preview_rule",
    "retention_wait",
    "tombstone",
    "trust_map",
    "trust_root",
    "verification_policy",
)

# Append-only too, but for the rows of lists that were forgotten; by the column that names the list.
# One that was used stays, whatever the runtime role deletes elsewhere: a fate is written once.
FORGETTABLE: Final[Mapping[str, str]] = {
    "bulk_action_item": "bulk_action_id",
    "retention_plan_item": "plan_id",
    "retention_preview_item": "preview_id",
}
# Policies for rows, by name: one that is changed gets another name, or it stays as it was.
_POLICIES: Final[Mapping[str, str]] = {
    "all_are_read": "FOR SELECT USING (true)",
    "all_are_appended": "FOR INSERT WITH CHECK (true)",
    "the_forgotten_go": """FOR DELETE USING (EXISTS (
        SELECT FROM list_fate WHERE list_fate.id = {list} AND list_fate.fate = 'forgotten'))""",
}


def apply_grants(*, migrator: str) -> None:
    """Give the runtime role its rights, as the owner of the tables (the connection `migrator`)."""
    role = sql.Identifier(connections[DEFAULT_DB_ALIAS].settings_dict["USER"])
    statements = [
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role),
        sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(role),
        sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}").format(
            role
        ),
        sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(role),
    ]
    kept_of = {
        "SELECT, INSERT": APPEND_ONLY,
        "SELECT": READ_ONLY,
        "SELECT, INSERT, DELETE": FORGETTABLE,
    }
    for kept, tables in kept_of.items():
        for table in map(sql.Identifier, tables):
            statements.append(sql.SQL("REVOKE ALL ON {} FROM {}").format(table, role))
            statements.append(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(kept), table, role))
    connection = connections[migrator]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        for forgettable, column in FORGETTABLE.items():
            _apply_policies(cursor, forgettable, column)


def _apply_policies(cursor: CursorWrapper, table: str, column: str) -> None:
    """Let the runtime role delete no row of the table but those that were forgotten.

    What is so already is left alone: changing it would wait for everybody who uses the table.
    """
    cursor.execute(
        "SELECT polname FROM pg_policy WHERE polrelid = %s::regclass ORDER BY polname", [table]
    )
    found = [name for (name,) in cursor.fetchall()]
    if found == sorted(_POLICIES):
        return
    name = sql.Identifier(table)
    cursor.execute(sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(name))
    for old in found:
        cursor.execute(sql.SQL("DROP POLICY {} ON {}").format(sql.Identifier(old), name))
    for policy, rule in _POLICIES.items():
        of = sql.SQL(rule).format(list=sql.Identifier(table, column))
        cursor.execute(
            sql.SQL("CREATE POLICY {} ON {} {}").format(sql.Identifier(policy), name, of)
        )
