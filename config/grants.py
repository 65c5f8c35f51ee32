"""What the runtime role may do: read and write rows, and on some tables not even that much.

Applied after every migration, from this table, so that a new table starts with plain row access
and an append-only one is named here (docs/adr/0009).
"""

from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import sql

READ_ONLY: Final = ("django_migrations", "evidence_end")
APPEND_ONLY: Final = (
    "attestation",
    "attestation_subject",
    "audit_checkpoint",
    "audit_record",
    "audit_seal",
    "bulk_action",
    "bulk_action_item",
    "bulk_action_outcome",
    "discrepancy",
    "download",
    "freed_blob",
    "hold",
    "hold_consent",
    "hold_lifting",
    "log_checkpoint",
    "log_leaf",
    "log_node",
    "reconciliation",
    "retention_plan",
    "retention_plan_item",
    "retention_plan_rule",
    "retention_policy",
    "retention_preview",
    "retention_preview_item",
    "retention_preview_rule",
    "retention_wait",
    "tombstone",
    "trust_map",
    "trust_root",
    "verification_policy",
)


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
    for tables, kept in ((APPEND_ONLY, "SELECT, INSERT"), (READ_ONLY, "SELECT")):
        for table in map(sql.Identifier, tables):
            statements.append(sql.SQL("REVOKE ALL ON {} FROM {}").format(table, role))
            statements.append(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(kept), table, role))
    connection = connections[migrator]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
