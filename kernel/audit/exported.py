"""Verify an export of the audit trail alone: no database, one pass, memory for one seal."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kernel.audit.chain import read_entries, row_sha256, rows_sha256, seal_sha256
from kernel.audit.checkpoint import Checkpoint, CheckpointReader, NotOurs, digests_of
from kernel.audit.export import FORM


class BadExport(Exception):
    """The file is not what was exported; the text says what is wrong, and where."""


@dataclass(slots=True)
class VerifiedExport:
    """What an export holds; `left_out` counts the other rows of its seals.

    `signed` counts the records that a signed checkpoint stands for: the others are only
    consistent with each other. `whole` is what the file says of itself: nothing was filtered.
    """

    head: Mapping[str, Any] = field(default_factory=dict)
    seals: int = 0
    records: int = 0
    signed: int = 0
    left_out: int = 0
    unsealed: int = 0

    @property
    def whole(self) -> bool:
        """Whether nothing was filtered out, by what the file says of itself."""
        return bool(self.head.get("whole"))


def verify_export(
    lines: Iterable[bytes], *, reader: CheckpointReader, kept: Iterable[Checkpoint] = ()
) -> VerifiedExport:
    """Recompute everything that the lines say; `kept` are verified checkpoints from elsewhere.

    Raises:
        BadExport: a line was changed, removed, added or moved, or the end is missing.
    """
    reading = _Reading(reader, kept)
    number = 0
    for number, line in enumerate(lines, start=1):
        try:
            reading.take(line)
        except BadExport as bad:
            raise BadExport(f"line {number}: {bad}") from bad
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadExport(f"line {number}: it cannot be read") from error
    if not reading.has_ended:
        raise BadExport(f"line {number}: the end is missing: the file was cut off")
    return reading.found


class _Reading:
    """One pass over the lines."""

    def __init__(self, reader: CheckpointReader, kept: Iterable[Checkpoint]) -> None:
        self.found = VerifiedExport()
        self.has_ended = False
        self._reader = reader
        self._kept = list(kept)
        self._digests = digests_of(self._kept)
        self._signs_this = False
        self._seal: Mapping[str, Any] | None = None
        self._waiting: list[tuple[int, bytes]] = []  # the next one last
        self._seen: set[int] = set()

    def take(self, line: bytes) -> None:
        """One more line."""
        ((kind, document),) = json.loads(line).items()
        if self.has_ended:
            raise BadExport("something stands behind the end")
        if (kind == "export") is bool(self.found.head):
            raise BadExport("the head is missing, or stands twice")
        match kind:
            case "export":
                self._take_head(document)
            case "seal":
                self._take_seal(document)
            case "checkpoint":
                self._take_checkpoint(document)
            case "record":
                self._take_record(document)
            case "unsealed":
                self.found.unsealed += 1
            case "end":
                self._take_end(document)
            case _:
                raise BadExport(f"nobody wrote a line of the kind {kind!r}")

    def _take_head(self, head: Mapping[str, Any]) -> None:
        if head["form"] != FORM:
            raise BadExport(f"this reads the form {FORM}, and the file has {head['form']}")
        self.found.head = head

    def _take_seal(self, seal: Mapping[str, Any]) -> None:
        self._leave_seal()
        before, number = self._seal, seal["number"]
        stored = base64.b64decode(seal["rows"], validate=True) if "rows" in seal else b""
        digest = rows_sha256(stored) if "rows" in seal else seal["rows_sha256"]
        if seal["sha256"] != seal_sha256(seal, digest):
            raise BadExport(f"the seal {number} was changed")
        if before is None:
            is_next = not self.found.whole or (number, seal["previous_sha256"]) == (1, "")
        else:
            is_next = number == before["number"] + 1
            if is_next and seal["previous_sha256"] != before["sha256"]:
                raise BadExport(f"the seal {number} does not continue the one before it")
        if not is_next:
            raise BadExport(f"a seal is missing before the seal {number}")
        kept = self._digests.get(number, set())
        if kept - {seal["sha256"]}:
            raise BadExport(f"a checkpoint that was kept elsewhere differs at the seal {number}")
        self._seal = seal
        self._waiting, self._seen = list(read_entries(stored))[::-1], set()
        self.found.seals += 1
        if kept:
            self._sign()

    def _take_checkpoint(self, bundle: Mapping[str, Any]) -> None:
        try:
            checkpoint = self._reader.read(json.dumps(bundle).encode())
        except NotOurs as error:
            raise BadExport(f"the checkpoint was not signed by this store: {error}") from error
        seal = self._seal
        if seal is None or (checkpoint.seal, checkpoint.seal_sha256) != (
            seal["number"],
            seal["sha256"],
        ):
            raise BadExport("the chain was rewritten: a signed checkpoint differs")
        self._sign()

    def _sign(self) -> None:
        """Everything up to the seal at hand is signed for; its rows come behind it."""
        self._signs_this = True
        self.found.signed = self.found.records

    def _take_record(self, row: Mapping[str, Any]) -> None:
        number = row["id"]
        if number in self._seen:
            raise BadExport(f"the row {number} stands twice")
        skipped = 0
        while self._waiting and self._waiting[-1][0] != number:
            self._waiting.pop()
            skipped += 1
        if not self._waiting:
            raise BadExport(f"the row {number} is not in its seal, or was moved")
        if skipped and self.found.whole:
            raise BadExport(f"a row was removed before the row {number}, or moved")
        _number, digest = self._waiting.pop()
        if row_sha256(row) != digest:
            raise BadExport(f"the row {number} was changed")
        self._seen.add(number)
        self.found.left_out += skipped
        self.found.records += 1
        if self._signs_this:
            self.found.signed += 1

    def _leave_seal(self) -> None:
        if self._waiting and self.found.whole:
            raise BadExport(f"the row {self._waiting[-1][0]} was removed")
        self.found.left_out += len(self._waiting)
        self._waiting, self._signs_this = [], False

    def _take_end(self, end: Mapping[str, Any]) -> None:
        self._leave_seal()
        exported_at = datetime.fromisoformat(self.found.head["exported_at"])
        reached = self._seal["number"] if self._seal is not None else 0
        if self.found.whole and any(
            one.seal > reached and one.made_at < exported_at for one in self._kept
        ):
            raise BadExport("the end was cut off: a checkpoint that was kept elsewhere names more")
        said = {"records": self.found.records, "unsealed": self.found.unsealed}
        if dict(end) != said:
            raise BadExport(f"the end counts {dict(end)}, and there are {said}")
        self.has_ended = True
