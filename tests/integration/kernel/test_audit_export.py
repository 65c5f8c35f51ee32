"""An export of the audit trail proves itself: what was done to the file is found in it alone."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from config.audit_witness import AttestorReader, AttestorSigner
from kernel.actor import ANONYMOUS, Actor
from kernel.audit.chain import canonical
from kernel.audit.export import COLUMNS, as_lines, as_table
from kernel.audit.exported import BadExport, VerifiedExport, verify_export
from kernel.audit.models import AuditCheckpoint, AuditRecord
from kernel.audit.publish import publish_checkpoint
from kernel.audit.queries import Wanted
from kernel.audit.record import record
from kernel.audit.seal import seal_once
from provenance.usecases.attest_builds import Attestor
from tests.factories.forger import Forge

pytestmark = pytest.mark.django_db(transaction=True)

NOW: Final = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
EXPORTED: Final = datetime(2026, 11, 25, tzinfo=UTC)
ALICE: Final = Actor("alice")
BOB: Final = Actor("bob")
Lines = list[bytes]


@dataclass(frozen=True)
class Trail:
    """Seals of which Alice has every second; the third is signed, the last row not sealed."""

    reader: AttestorReader

    def export(self, wanted: Wanted | None = None) -> Lines:
        head = {"exported_at": EXPORTED, "store": "here", "filters": {}}
        return list(as_lines(wanted or Wanted(), head=head))

    def verify(self, lines: Lines) -> VerifiedExport:
        return verify_export(lines, reader=self.reader)


@pytest.fixture
def trail(attestor: Attestor) -> Trail:
    while seal_once(now=NOW):
        pass
    for seal in range(5):
        for number in range(3):
            who = ALICE if seal % 2 == 0 and number != 1 else BOB
            record(who, f"seal-{seal}", f"thing {number}", now=NOW, after={"is": "ä", "n": 0.1})
        seal_once(now=NOW)
        if seal == 3:
            signer = AttestorSigner(signer=attestor.signer, base_url=settings.PUBLIC_URL)
            publish_checkpoint(signer=signer, now=NOW)
    record(BOB, "just now", "thing", now=NOW)
    return Trail(AttestorReader(verifier=attestor.verifier, base_url=settings.PUBLIC_URL))


def test_exports_everything_with_its_proofs(trail: Trail) -> None:
    found = trail.verify(trail.export())

    sealed = AuditRecord.objects.count() - 1
    assert (found.records, found.seals, found.left_out, found.unsealed) == (sealed, 6, 0, 1)
    assert found.signed == sealed - 3
    assert found.whole


def test_exports_what_is_wanted_and_says_what_is_not(trail: Trail) -> None:
    lines = trail.export(Wanted(actor="alice"))
    found = trail.verify(lines)

    assert {json.loads(line)["record"]["actor"] for line in lines if b'{"record"' in line} == {
        "alice"
    }
    assert (found.records, found.left_out, found.unsealed) == (6, 3, 0)
    assert (found.seals, found.signed, found.whole) == (5, 4, False)


def test_leads_on_to_the_checkpoint_behind_what_is_wanted(trail: Trail) -> None:
    found = trail.verify(trail.export(Wanted(action="seal-0")))

    assert (found.records, found.seals, found.signed) == (3, 4, 3)


def test_exports_nothing_where_nothing_is_wanted(trail: Trail) -> None:
    lines = trail.export(Wanted(actor="nobody"))

    assert len(lines) == 2
    assert trail.verify(lines).records == 0


def test_pages_through_many_rows(trail: Trail) -> None:
    for _ in range(3):
        for number in range(400):
            record(ALICE, "many", str(number), now=NOW)
        seal_once(now=NOW)

    assert trail.verify(trail.export(Wanted(action="many"))).records == 1200


def edited(lines: Lines, kind: str, nth: int, **fields: Any) -> Lines:
    """The lines, with other fields in the n-th line of a kind."""
    place = [number for number, line in enumerate(lines) if kind in json.loads(line)][nth]
    document = json.loads(lines[place])
    document[kind].update(fields)
    return [*lines[:place], canonical(document) + b"\n", *lines[place + 1 :]]


def places(lines: Lines, kind: str) -> list[int]:
    return [number for number, line in enumerate(lines) if kind in json.loads(line)]


def without(lines: Lines, kind: str, nth: int) -> Lines:
    place = places(lines, kind)[nth]
    return lines[:place] + lines[place + 1 :]


def swapped(lines: Lines, kind: str, one: int, other: int) -> Lines:
    at, to = places(lines, kind)[one], places(lines, kind)[other]
    found = list(lines)
    found[at], found[to] = lines[to], lines[at]
    return found


def twice(lines: Lines, kind: str, nth: int) -> Lines:
    place = places(lines, kind)[nth]
    return [*lines[: place + 1], *lines[place:]]


FORGERIES: Final[dict[str, tuple[Callable[[Lines], Lines], str]]] = {
    "another actor": (lambda lines: edited(lines, "record", -2, actor="eve"), "was changed"),
    "another time": (
        lambda lines: edited(lines, "record", -2, at="2026-11-21T08:00:00.000001+00:00"),
        "was changed",
    ),
    "a record less": (lambda lines: without(lines, "record", -2), "a row was removed before"),
    "the last record less": (lambda lines: without(lines, "record", -1), "was removed"),
    "a record twice": (lambda lines: twice(lines, "record", -2), "stands twice"),
    "a record that was never sealed": (
        lambda lines: edited(lines, "record", -2, id=10**15),
        "is not in its seal",
    ),
    "two records change places": (
        lambda lines: swapped(lines, "record", -2, -3),
        "a row was removed before the row",
    ),
    "an unsealed record called a sealed one": (
        lambda lines: [line.replace(b'{"unsealed"', b'{"record"') for line in lines],
        "is not in its seal",
    ),
    "a seal less": (lambda lines: without(lines, "seal", 2), "is not in its seal"),
    "the first seal less": (
        lambda lines: [lines[0], *lines[places(lines, "seal")[1] :]],
        "a seal is missing before the seal 2",
    ),
    "a seal less, with its rows": (
        lambda lines: lines[: places(lines, "seal")[1]] + lines[places(lines, "seal")[2] :],
        "a seal is missing before the seal 3",
    ),
    "a seal of another time": (
        lambda lines: edited(lines, "seal", 2, sealed_at="2026-11-20T08:00:00.000000+00:00"),
        "the seal 3 was changed",
    ),
    "a checkpoint of another seal": (
        lambda lines: [*lines[:-1], lines[places(lines, "checkpoint")[0]]],
        "a signed checkpoint differs",
    ),
    "no end": (lambda lines: lines[:-1], "the end is missing"),
    "another end": (lambda lines: edited(lines, "end", 0, records=1), "the end counts"),
    "more behind the end": (lambda lines: [*lines, lines[-1]], "something stands behind the end"),
    "no head": (lambda lines: lines[1:], "the head is missing"),
    "no JSON": (lambda lines: [*lines[:3], b"eve\n", *lines[3:]], "cannot be read"),
    "something else": (lambda lines: [lines[0], b'{"eve":{}}\n', *lines[1:]], "nobody wrote"),
    "nothing": (lambda _lines: [], "the end is missing"),
}


@pytest.mark.parametrize("kind", FORGERIES)
def test_finds(trail: Trail, kind: str) -> None:
    forge, said = FORGERIES[kind]
    lines = trail.export()
    assert trail.verify(lines).records

    with pytest.raises(BadExport, match=said):
        trail.verify(forge(lines))


def test_finds_a_chain_that_was_made_up(trail: Trail, forge: Forge) -> None:
    """All digests are good: only what was signed differs."""
    row = AuditRecord.objects.filter(action="seal-0").earliest("id")
    forge("UPDATE audit_record SET actor = 'eve' WHERE id = %s", row.pk)
    forge("DELETE FROM audit_seal")
    for seal in range(6):
        record(BOB, "fill", str(seal), now=NOW)
        seal_once(now=NOW)

    with pytest.raises(BadExport, match="a signed checkpoint differs"):
        trail.verify(trail.export())


def test_verifies_a_file_on_the_command_line(
    trail: Trail, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, kept = tmp_path / "audit.jsonl", tmp_path / "kept.jsonl"
    lines = trail.export()
    file.write_bytes(b"".join(lines))
    kept.write_bytes(bytes(AuditCheckpoint.objects.get().bundle))
    call_command("audit", "verify", f"--export={file}", f"--checkpoints={kept}")
    said = capsys.readouterr().out
    assert "rows in 6 seals are as they were sealed; nothing is left out" in said
    assert "1 more were not sealed yet" in said

    # Cut at a seal before the checkpoint, and counted anew: only what was kept elsewhere knows.
    cut = lines[: places(lines, "seal")[3]]
    end = {"end": {"records": len(places(cut, "record")), "unsealed": 0}}
    file.write_bytes(b"".join([*cut, canonical(end) + b"\n"]))
    call_command("audit", "verify", f"--export={file}")
    with pytest.raises(CommandError, match="the end was cut off") as refused:
        call_command("audit", "verify", f"--export={file}", f"--checkpoints={kept}")
    assert refused.value.returncode == 1


def test_writes_a_table_that_no_spreadsheet_runs(trail: Trail) -> None:
    record(ANONYMOUS, "=1+1", '@sum("a;b")', now=NOW)
    assert trail.export()

    rows = list(csv.reader(io.StringIO(b"".join(as_table(Wanted())).decode())))

    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == AuditRecord.objects.count() + 1
    last = dict(zip(COLUMNS, rows[-1], strict=True))
    assert (last["action"], last["target"], last["seal"]) == ("'=1+1", '\'@sum("a;b")', "")
    assert dict(zip(COLUMNS, rows[-3], strict=True))["seal"] == "6"
