"""The audit trail's proofs: `verify` recomputes it, `checkpoint` signs its newest seal now.

`evidence` compares the bundles of all attestations with what was recorded of them, and those that
have ended with the trail. It and `verify` end with 0 where all is as it was sealed, with 1 where
something was tampered with, which they name, and with 2 where they cannot say: a file or a trust
root that cannot be read.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from config.audit_witness import AttestorReader, checkpoint_reader, checkpoint_signer
from kernel.audit.checkpoint import Checkpoint, NotOurs
from kernel.audit.exported import BadExport, verify_export
from kernel.audit.publish import publish_checkpoint
from kernel.audit.queries import checkpoints
from kernel.audit.verify import Verified, verify_chain
from kernel.errors import Refusal
from provenance.queries.comparing import evidence_differences, evidence_extent

TAMPERED: Final = 1
UNKNOWN: Final = 2
_TOLD_SECONDS: Final = 5.0


class Command(BaseCommand):
    """Say whether the audit trail is as it was sealed, or sign it (docs/audit.md)."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """What was kept elsewhere proves what this database alone cannot."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verify = verbs.add_parser("verify", help="recompute the chain, or an export of it")
        verify.add_argument("--kept", default="", help="the sha256 of a seal, kept elsewhere")
        verify.add_argument(
            "--checkpoints",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="signed checkpoints that were kept elsewhere, one a line",
        )
        verify.add_argument(
            "--trust-root", type=Path, metavar="FILE", help="one that was kept elsewhere"
        )
        verify.add_argument(
            "--export", type=Path, metavar="FILE", help="verify this file, and not the database"
        )
        verbs.add_parser("checkpoint", help="sign the newest seal, and print what to keep")
        verbs.add_parser("evidence", help="compare the bundles of all attestations")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Run it."""
        if options["verb"] == "checkpoint":
            self._sign()
            return
        if options["verb"] == "evidence":
            self._compare_evidence()
            return
        try:
            given = options["trust_root"]
            reader = checkpoint_reader(trust_root=given.read_bytes() if given else None)
            kept = [one for file in options["checkpoints"] for one in _kept(file, reader)]
            if options["export"] is not None:
                self._verify_export(options["export"], reader, kept)
            else:
                self._verify_chain(reader, kept, options["kept"])
        except OSError as error:
            raise CommandError(str(error), returncode=UNKNOWN) from error

    def _verify_chain(self, reader: AttestorReader, kept: list[Checkpoint], digest: str) -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:  # the sealer goes on meanwhile
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            signed = [*kept, *_published(reader)]
            found = verify_chain(kept=digest, checkpoints=signed, told=self._progress())
        if found.broken is not None:
            row = f", row {found.broken.row}" if found.broken.row is not None else ""
            raise CommandError(
                f"{found.broken.what}: seal {found.broken.seal}{row}", returncode=TAMPERED
            )
        self.stdout.write(_told(found, len(signed)))

    def _verify_export(self, file: Path, reader: AttestorReader, kept: list[Checkpoint]) -> None:
        try:
            with file.open("rb") as lines:
                found = verify_export(lines, reader=reader, kept=kept)
        except BadExport as error:
            raise CommandError(f"{file}, {error}", returncode=TAMPERED) from error
        extent = "nothing is left out" if found.whole else f"{found.left_out} others are left out"
        self.stdout.write(
            f"{found.records} rows in {found.seals} seals are as they were sealed; {extent}\n"
            f"a signed checkpoint stands for {found.signed} of them;"
            f" {found.unsealed} more were not sealed yet, and nothing proves them"
        )

    def _sign(self) -> None:
        try:
            made = publish_checkpoint(signer=checkpoint_signer(), now=timezone.now())
        except Refusal as refusal:
            raise CommandError(f"the checkpoint was not signed: {refusal}") from refusal
        if made is None:
            raise CommandError("nothing was signed: nothing is sealed yet, or it was just done")
        self.stdout.write(bytes(made.bundle).decode())

    def _compare_evidence(self) -> None:
        found = list(evidence_differences())
        for one in found:
            self.stdout.write(f"{one.of}: {one.what}")
        if found:
            raise CommandError("evidence is not as it was recorded", returncode=TAMPERED)
        kept, ended = evidence_extent()
        self.stdout.write(
            f"{kept} bundles are as they were recorded; {ended} have ended, as the audit trail says"
        )

    def _progress(self) -> Any:  # noqa: ANN401 - a function of two numbers
        told_at = time.monotonic()

        def tell(seals: int, rows: int) -> None:
            nonlocal told_at
            if time.monotonic() - told_at > _TOLD_SECONDS:
                told_at = time.monotonic()
                self.stderr.write(f"{rows} rows in {seals} seals …")

        return tell


def _kept(file: Path, reader: AttestorReader) -> Iterator[Checkpoint]:
    """The checkpoints of a file.

    Raises:
        CommandError: one of them was not signed by this store: nothing can be said with it.
    """
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        if line.strip():
            try:
                yield reader.read(line)
            except NotOurs as error:
                raise CommandError(
                    f"{file}, line {number} is no checkpoint of this store: {error}",
                    returncode=UNKNOWN,
                ) from error


def _published(reader: AttestorReader) -> Iterator[Checkpoint]:
    """The checkpoints in the database, each as it was signed.

    Raises:
        CommandError: one is missing, or was not signed by this store: somebody wrote it there.
    """
    for expected, one in enumerate(checkpoints().iterator(chunk_size=100), start=1):
        try:
            found = reader.read(bytes(one.bundle))
        except NotOurs as error:
            raise CommandError(
                f"checkpoint {one.number} was not signed by this store: {error}",
                returncode=TAMPERED,
            ) from error
        if not found.number == one.number == expected:
            raise CommandError(f"checkpoint {expected} is missing", returncode=TAMPERED)
        yield found


def _told(found: Verified, signed: int) -> str:
    if not found.signed_seal:
        proof = "no signed checkpoint stands for them: this database alone says so"
    elif found.signed_seal < found.seals:
        later = found.seals - found.signed_seal
        proof = (
            f"{signed} signed checkpoints agree, the newest with seal {found.signed_seal};"
            f" this database alone says the {later} later"
        )
    else:
        proof = f"{signed} signed checkpoints agree, the newest with the last seal"
    return (
        f"{found.rows} rows in {found.seals} seals are as they were sealed;"
        f" {found.unsealed} wait for a seal\n{proof}\nlast seal: {found.last_sha256 or 'none'}"
    )
