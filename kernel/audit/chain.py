"""The chain over the audit trail: what is hashed, and how. Pure: rows in, digests out.

Each row has one canonical form; a seal lists its rows' digests in order, and names the seal before.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

ROW_FIELDS: Final = (
    "id",
    "transaction_id",
    "at",
    "actor",
    "action",
    "target",
    "organization_id",
    "facts",
    "request_id",
    "address",
)
SEAL_FIELDS: Final = (
    "number",
    "floor_id",
    "from_transaction",
    "below_transaction",
    "row_count",
    "first_id",
    "last_id",
    "highest_id",
    "previous_sha256",
    "sealed_at",
)
_ID_BYTES: Final = 8
_ENTRY_BYTES: Final = _ID_BYTES + hashlib.sha256().digest_size


def canonical(values: Mapping[str, object]) -> bytes:
    """JSON with sorted names, no blanks, times in UTC to the microsecond: one form for each row."""
    text = json.dumps(
        values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain
    )
    return text.encode()


def entries(rows: Iterable[Mapping[str, object]]) -> bytes:
    """For each row, in this order, its id and the SHA-256 of its canonical form."""
    return b"".join(
        int(str(row["id"])).to_bytes(_ID_BYTES, "big") + row_sha256(row) for row in rows
    )


def read_entries(stored: bytes) -> Iterator[tuple[int, bytes]]:
    """The ids and digests that `entries` wrote."""
    for start in range(0, len(stored), _ENTRY_BYTES):
        entry = stored[start : start + _ENTRY_BYTES]
        yield int.from_bytes(entry[:_ID_BYTES], "big"), entry[_ID_BYTES:]


def row_sha256(row: Mapping[str, object]) -> bytes:
    """The SHA-256 of a row's canonical form."""
    return hashlib.sha256(canonical({name: row[name] for name in ROW_FIELDS})).digest()


def seal_sha256(seal: Mapping[str, object], rows_sha256: str) -> str:
    """The digest that names a seal: of all its fields, its rows, and so of all seals before it.

    `rows_sha256` is the digest of what `entries` wrote for its rows.
    """
    fields = {name: seal[name] for name in SEAL_FIELDS}
    fields["rows_sha256"] = rows_sha256
    return hashlib.sha256(canonical(fields)).hexdigest()


def rows_sha256(stored: bytes) -> str:
    """The digest of what `entries` wrote."""
    return hashlib.sha256(stored).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)
