"""End attestations of builds that have long been gone for good (docs/keeping.md).

Without `--apply` nothing is changed: it says how much may end, and what keeps the rest of what is
old enough. Run it with the environment of the migrations: no server has the right.
"""

from functools import partial
from pathlib import Path
from typing import Any, Final

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from artifacts.domain.evidence_clock import KeptBy
from artifacts.queries.ending import Amount, evidence_over
from artifacts.usecases.end_evidence import Ending, end_evidence
from artifacts.wiring import evidence_life
from config.operator import OPERATOR
from config.owner import as_owner
from kernel.errors import Refusal
from provenance.adapters.evidence_directory import EvidenceDirectory
from provenance.usecases.save_bundles import save_bundles, save_nothing

WORDS: Final = {
    None: "may end",
    KeptBy.STORED: "kept: another file of the build is stored",
    KeptBy.TRASH: "kept: another file of the build is in the trash",
    KeptBy.REQUEST: "kept: a statement is still to be signed",
    KeptBy.HOLD: "kept: a legal hold",
    KeptBy.USE: "kept: a declared use",
    KeptBy.DIFFERENCE: "kept: a bundle is not what was recorded",
}


class Command(BaseCommand):
    """Show what may end, or end it."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Whoever ends evidence says where its copy goes, or that there is none."""
        parser.add_argument("--apply", action="store_true", help="end it")
        copy = parser.add_mutually_exclusive_group()
        copy.add_argument("--save", type=Path, metavar="DIR", help="first save all of it here")
        copy.add_argument(
            "--without-copy", action="store_true", help="keep no copy: nobody verifies it again"
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Count, or end what may end and count it."""
        life = evidence_life()
        if life is None:
            raise CommandError("evidence is kept for ever: STRONGROOM_EVIDENCE_DAYS is not set")
        saves = options["save"] is not None or options["without_copy"]
        if options["apply"] != saves:
            raise CommandError("--apply goes with --save DIR or --without-copy, and they with it")
        try:
            with as_owner():
                if options["apply"]:
                    self._end(life.days, options["save"])
                else:
                    self._show(evidence_over(life=life, now=timezone.now()), life.days)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal

    def _show(self, amounts: dict[KeptBy | None, Amount], days: int) -> None:
        self.stdout.write(f"gone for {days} days and more:")
        for why, words in WORDS.items():
            self.stdout.write(_line(words, amounts.get(why, Amount())))

    def _end(self, days: int, folder: Path | None) -> None:
        save = partial(save_bundles, copy=EvidenceDirectory(folder)) if folder else save_nothing
        ended = end_evidence(
            ending=Ending(days, save),
            actor=OPERATOR,
            clock=timezone.now,
            told=lambda so_far: self.stderr.write(_line("ended so far", so_far)),
        )
        self.stdout.write(_line("ended", ended))


def _line(words: str, amount: Amount) -> str:
    return (
        f"{words:<48}{amount.builds:>9} builds{amount.bundles:>9} bundles{amount.bytes:>14} bytes"
    )
