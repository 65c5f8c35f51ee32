"""Compare what the store holds with the rows, and say what differs; or repair what was found."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from artifacts import wiring
from artifacts.domain.reconciliation import WORDS
from artifacts.models import Discrepancy, Reconciliation
from artifacts.queries.reconciling import reconciliation
from artifacts.usecases.reconcile_store import reconcile_store
from artifacts.usecases.release_objects import release_objects
from artifacts.usecases.repair_store import Repair, repair_store
from config.operator import OPERATOR
from kernel.errors import Refusal


class Command(BaseCommand):
    """Without an option nothing is changed; the status is 1 where something differs."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """A repair names the report that was looked at."""
        parser.add_argument(
            "--repair", type=UUID, metavar="REPORT", help="repair what this report found"
        )

        parser.add_argument(
            "--release-holds",
            type=UUID,
            metavar="REPORT",
            help="release what the bucket holds and no legal hold covers, whoever locked it",
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Compare, or repair."""
        try:
            if options["repair"] is not None:
                self._repair(options["repair"])
            elif options["release_holds"] is not None:
                self._release(options["release_holds"])
            else:
                self._compare()
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal

    def _compare(self) -> None:
        report = reconcile_store(
            kept=wiring.kept(),
            clock=timezone.now,
            progress=lambda keys: self.stderr.write(f"{keys} keys …"),
        )
        for one in report.discrepancies.order_by("id").iterator():
            self.stdout.write(_line(one))
        for name, figure in sorted(report.totals.items()):
            self.stdout.write(f"{name:<20}{figure:>16}")
        for difference, (found, remedy) in WORDS.items():
            counted = report.counts[difference]
            self.stdout.write(
                f"{found:<24}{counted['count']:>10}{counted['bytes']:>16} bytes; repair: {remedy}"
            )
        if _differences(report):
            raise CommandError(f"to repair what is listed: reconcile --repair {report.pk}")
        self.stdout.write("rows and bytes agree")

    def _repair(self, key: UUID) -> None:
        done = repair_store(
            report=_report(key),
            repair=Repair(wiring.kept(), wiring.copies(), OPERATOR),
            now=timezone.now(),
            told=self._tell,
        )
        self._count(done)

    def _release(self, key: UUID) -> None:
        done = release_objects(
            report=_report(key),
            kept=wiring.kept(),
            actor=OPERATOR,
            now=timezone.now(),
            told=self._tell,
        )
        self._count(done)

    def _tell(self, one: Discrepancy, outcome: str) -> None:
        self.stdout.write(f"{outcome:<12}{_line(one)}")

    def _count(self, done: Counter[str]) -> None:
        for outcome, count in sorted(done.items()):
            self.stdout.write(f"{outcome:<12}{count:>10}")


def _report(key: UUID) -> Reconciliation:
    found = reconciliation(key)
    if found is None:
        raise CommandError("there is no such report")
    return found


def _line(one: Discrepancy) -> str:
    expected = "" if one.expected_bytes is None else f", expected {one.expected_bytes} bytes"
    found = "nothing" if one.found_bytes is None else f"{one.found_bytes} bytes"
    return f"{one.difference:<10}{one.key}: {found}{expected}, since {one.since:%Y-%m-%dT%H:%M:%SZ}"


def _differences(report: Reconciliation) -> int:
    return sum(counted["count"] for counted in report.counts.values())
