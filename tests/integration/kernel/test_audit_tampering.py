"""Each kind of tampering with the audit trail is found by `manage.py audit verify`, and named.

The table that a run shows at its end has a row for each: what was done, and what is printed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from config.audit_witness import AttestorSigner
from kernel.actor import ANONYMOUS
from kernel.audit.chain import ROW_FIELDS, entries, rows_sha256, seal_sha256
from kernel.audit.models import AuditCheckpoint, AuditRecord, AuditSeal
from kernel.audit.publish import publish_checkpoint
from kernel.audit.record import record
from kernel.audit.seal import Window, seal_fields, seal_once
from provenance.usecases.attest_builds import Attestor
from tests.factories.forger import Forge
from tests.factories.tables import Table, new_table

pytestmark = pytest.mark.django_db(transaction=True)

STRANGE: Final = 4_000_000_000  # an id that no other row has
NOW: Final = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Trail:
    """Three seals of three rows each behind the first, a checkpoint on each; all kept elsewhere."""

    forge: Forge
    rows: tuple[int, ...]  # of the second, third and fourth seal
    kept: Path

    def insert_copy(self, of: int, *, number: int, actor: str = "eve") -> None:
        self.forge(
            "INSERT INTO audit_record (id, at, actor, action, target, facts, request_id, address,"
            " transaction_id) SELECT %s, at, %s, action, target, facts, request_id, address,"
            " transaction_id FROM audit_record WHERE id = %s",
            number,
            actor,
            of,
        )

    def swap(self, table: str, column: str, one: int, other: int) -> None:
        for number, new in ((one, -1), (other, one), (-1, other)):
            self.forge(f"UPDATE {table} SET {column} = %s WHERE {column} = %s", new, number)  # noqa: S608 - ours

    def rewrite(self, and_checkpoints: str = "false") -> None:
        """A row is changed and the whole chain made anew, as who holds the database can."""
        self.forge("UPDATE audit_record SET actor = 'eve' WHERE id = %s", self.rows[0])
        previous = ""
        for seal in AuditSeal.objects.order_by("number"):
            window = Window(seal.floor_id, seal.from_transaction, seal.below_transaction)
            stored = entries(window.rows().values(*ROW_FIELDS))
            seal.previous_sha256 = previous
            digest = seal_sha256(seal_fields(seal), rows_sha256(stored))
            self.forge(
                "UPDATE audit_seal SET rows = %s, previous_sha256 = %s, sha256 = %s"
                " WHERE number = %s",
                stored,
                previous,
                digest,
                seal.number,
            )
            previous = digest
        self.forge(f"DELETE FROM audit_checkpoint WHERE {and_checkpoints}")  # noqa: S608 - ours

    def cut(self, and_checkpoints: str = "false") -> None:
        """The last seal is gone, with its rows."""
        self.forge("DELETE FROM audit_record WHERE id = ANY(%s)", list(self.rows[-3:]))
        self.forge("DELETE FROM audit_seal WHERE number = 4")
        self.forge(f"DELETE FROM audit_checkpoint WHERE {and_checkpoints}")  # noqa: S608 - ours


def seal_all() -> None:
    while seal_once(now=NOW):
        pass


@pytest.fixture
def trail(forge: Forge, attestor: Attestor, tmp_path: Path) -> Trail:
    signer = AttestorSigner(signer=attestor.signer, base_url=settings.PUBLIC_URL)
    seal_all()
    before = set(AuditRecord.objects.values_list("pk", flat=True))
    for seal in range(3):
        for number in range(3):
            record(ANONYMOUS, f"action-{seal}", f"thing {number}", now=NOW, after={"is": "ä"})
        seal_once(now=NOW)
        publish_checkpoint(signer=signer, now=NOW + timedelta(days=seal))
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(
        b"".join(bytes(one.bundle) + b"\n" for one in AuditCheckpoint.objects.order_by("number"))
    )
    rows = AuditRecord.objects.exclude(pk__in=before).order_by("pk").values_list("pk", flat=True)
    assert AuditSeal.objects.count() == 4
    return Trail(forge, tuple(rows), kept)


@pytest.fixture(scope="module")
def printed(request: pytest.FixtureRequest) -> Table:
    return new_table(
        request.config,
        "Tampering with the audit trail, and what `manage.py audit verify` prints",
        "tampering",
        "by the database alone",
        "with checkpoints from elsewhere",
    )


def sql(statement: str, *rows: int) -> Callable[[Trail], None]:
    return lambda trail: trail.forge(statement, *(trail.rows[row] for row in rows))


CHANGE: Final = "UPDATE audit_record SET {} WHERE id = %s"
REMOVE: Final = "DELETE FROM audit_record WHERE id = %s"
NOTHING: Final = "nothing is found"

# What is done; what the database alone shows; what the checkpoints show that were kept elsewhere,
# where that is something else. `{n}` is the id of the n-th row.
TAMPERING: Final[dict[str, tuple[Callable[[Trail], None], str, str]]] = {
    "another actor": (
        sql(CHANGE.format("actor = 'eve'"), 1),
        "a row was changed: seal 2, row {1}",
        "",
    ),
    "other facts": (
        sql(CHANGE.format("facts = 'null'"), 4),
        "a row was changed: seal 3, row {4}",
        "",
    ),
    "a microsecond later": (
        sql(CHANGE.format("at = at + interval '1 us'"), 8),
        "a row was changed: seal 4, row {8}",
        "",
    ),
    "another address": (
        sql(CHANGE.format("address = '192.0.2.1'"), 0),
        "a row was changed: seal 2, row {0}",
        "",
    ),
    "another organization's": (
        sql(CHANGE.format("organization_id = gen_random_uuid()"), 0),
        "a row was changed: seal 2, row {0}",
        "",
    ),
    "a row is missing": (sql(REMOVE, 4), "a row was removed: seal 3, row {4}", ""),
    "the first row is missing": (
        lambda trail: trail.forge(
            "DELETE FROM audit_record WHERE id = (SELECT min(id) FROM audit_record)"
        ),
        "a row was removed: seal 1, row ",
        "",
    ),
    "the last row is missing": (sql(REMOVE, 8), "a row was removed: seal 4, row {8}", ""),
    "two rows change places": (
        lambda trail: trail.swap("audit_record", "id", trail.rows[3], trail.rows[5]),
        "a row was changed: seal 3, row {3}",
        "",
    ),
    "a row moves to another seal": (
        lambda trail: trail.forge(
            "UPDATE audit_record SET transaction_id ="
            " (SELECT transaction_id FROM audit_record WHERE id = %s) WHERE id = %s",
            trail.rows[6],
            trail.rows[3],
        ),
        "a row was moved to another transaction: seal 3, row {3}",
        "",
    ),
    "a row is inserted": (
        lambda trail: trail.insert_copy(trail.rows[4], number=STRANGE),
        "a row was inserted: seal 3, row 4000000000",
        "",
    ),
    "a row stands twice": (
        lambda trail: trail.insert_copy(trail.rows[4], number=STRANGE, actor="anonymous"),
        "a row was inserted: seal 3, row 4000000000",
        "",
    ),
    "a row is inserted before the first": (
        lambda trail: trail.insert_copy(trail.rows[0], number=-5),
        "a row was inserted below what was sealed: seal 4, row -5",
        "",
    ),
    "a row of a transaction that has not been": (
        lambda trail: trail.forge(
            "INSERT INTO audit_record (id, at, actor, action, target, facts, request_id, address,"
            " transaction_id) VALUES (4000000000, now(), 'eve', 'x', 'x', '{}', '', '', 9000000000)"
        ),
        "a row was inserted: seal 4, row 4000000000",
        "",
    ),
    "a seal is changed": (
        sql("UPDATE audit_seal SET sealed_at = now() WHERE number = 2"),
        "a seal was changed: seal 2",
        "",
    ),
    "a seal forgets its rows": (
        sql("UPDATE audit_seal SET rows = substr(rows, 1, 0) WHERE number = 2"),
        "a seal was changed: seal 2",
        "",
    ),
    "a seal is missing": (
        sql("DELETE FROM audit_seal WHERE number = 2"),
        "a seal is missing: seal 2",
        "",
    ),
    "two seals change places": (
        lambda trail: trail.swap("audit_seal", "number", 2, 3),
        "a seal was changed: seal 2",
        "",
    ),
    "the end is cut off": (
        lambda trail: trail.cut(),
        "the end of the chain was cut off: a signed checkpoint names more: seal 4",
        "",
    ),
    "the end is cut off, and the checkpoint": (
        lambda trail: trail.cut(and_checkpoints="number = 3"),
        NOTHING,
        "the end of the chain was cut off: a signed checkpoint names more: seal 4",
    ),
    "the chain is rewritten": (
        lambda trail: trail.rewrite(),
        "the chain was rewritten: a signed checkpoint differs: seal 2",
        "",
    ),
    "the chain is rewritten, and all checkpoints": (
        lambda trail: trail.rewrite(and_checkpoints="true"),
        NOTHING,
        "the chain was rewritten: a signed checkpoint differs: seal 2",
    ),
    "a checkpoint is missing": (
        sql("DELETE FROM audit_checkpoint WHERE number = 2"),
        "checkpoint 2 is missing",
        "",
    ),
    "a checkpoint is forged": (
        sql(
            "UPDATE audit_checkpoint SET bundle = convert_to(replace(convert_from(bundle, 'UTF8'),"
            " '\"payload\":\"', '\"payload\":\"AAAA'), 'UTF8') WHERE number = 2"
        ),
        "checkpoint 2 was not signed by this store: ",
        "",
    ),
}


def verify(*arguments: str) -> tuple[int, str]:
    try:
        call_command("audit", "verify", *arguments)
    except CommandError as error:
        return error.returncode, str(error)
    return 0, NOTHING


@pytest.mark.parametrize("kind", TAMPERING)
def test_finds(trail: Trail, printed: Table, kind: str) -> None:
    tamper, alone, with_kept = TAMPERING[kind]
    untouched = verify(), verify(f"--checkpoints={trail.kept}")

    tamper(trail)

    found = [verify(), verify(f"--checkpoints={trail.kept}")]
    printed.rows.append((kind, *(text for _status, text in found)))
    assert untouched == ((0, NOTHING), (0, NOTHING))
    for (status, text), template in zip(found, (alone, with_kept or alone), strict=True):
        expected = template.format(*trail.rows) if "{" in template else template
        assert text.startswith(expected)
        assert status == (0 if expected == NOTHING else 1)


def test_says_what_nothing_signed_stands_for(
    trail: Trail, capsys: pytest.CaptureFixture[str]
) -> None:
    record(ANONYMOUS, "later", "thing", now=NOW)
    seal_all()
    record(ANONYMOUS, "just now", "thing", now=NOW)

    call_command("audit", "verify")

    rows = len(trail.rows)
    said = capsys.readouterr().out
    assert f"{AuditRecord.objects.count() - 1} rows in 5 seals are as they were sealed" in said
    assert "1 wait for a seal" in said
    assert "the newest with seal 4; this database alone says the 1 later" in said
    assert rows == 9


@pytest.mark.parametrize("text", ["", "{}", "not JSON", '{"mediaType": "x"}'])
def test_says_that_it_cannot_say(trail: Trail, text: str) -> None:
    """A file of checkpoints that are none is no proof against anybody."""
    trail.kept.write_text(f"{trail.kept.read_text()}{text}\n")

    status, said = verify(f"--checkpoints={trail.kept}")

    assert (status, said.partition(", line 4 is no checkpoint")[1]) == (
        (2, ", line 4 is no checkpoint") if text else (0, "")
    )
    assert verify("--checkpoints=/nowhere")[0] == 2


def test_believes_no_checkpoint_of_another_store(trail: Trail, attestor: Attestor) -> None:
    """Its signature is good, by the same keys; what it says is about somebody else."""
    seal = AuditSeal.objects.get(number=4)
    other = AttestorSigner(signer=attestor.signer, base_url="https://other.example")
    made = publish_checkpoint(signer=other, now=NOW)
    assert made is not None
    assert made.seal_sha256 == seal.sha256

    status, said = verify()

    assert status == 1
    assert "checkpoint 4 was not signed by this store" in said
    assert trail.rows
