"""Whose bytes would be free: of blobs that are in a draft of what goes, how many rows have them."""

from artifacts.queries.protecting import PROTECTED


def users_of(draft: str) -> str:
    """SQL for `blob_id` and `number`, of the blobs in this table; its one parameter is the moment.

    What the trash has is no user: its copies leave before what goes now, or with it. Only those
    that something protects stay as long as that does.
    """
    return f"""
        SELECT blob_id, count(*) AS number FROM (
            SELECT artifact.blob_id FROM artifact
            WHERE artifact.blob_id IN (SELECT blob_id FROM {draft})
            UNION ALL
            SELECT artifact.blob_id FROM trashed_artifact AS artifact
            WHERE artifact.blob_id IN (SELECT blob_id FROM {draft}) AND {PROTECTED}
        ) AS users GROUP BY blob_id"""  # noqa: S608 - words of our own
