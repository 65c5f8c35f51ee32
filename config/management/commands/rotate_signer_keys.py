"""Rotate the embedded signer's keys: its authority and both logs (docs/operate.md, "Rotating").

`announce` publishes the next keys in the trust root. After the notice, `adopt` signs with them.
`end` is for keys that leaked: they are believed until a moment, or not at all. `show` says how
things are. Run it with the worker's environment.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from config.operator import OPERATOR
from kernel.errors import Refusal
from provenance import wiring
from provenance.queries import GenerationStatus, signer_generations
from provenance.usecases.end_signer_keys import end_signer_keys
from provenance.usecases.rotate_signer_keys import adopt_signer_keys, announce_signer_keys

NOTICE_DAYS: Final = 14


class Command(BaseCommand):
    """Take one step, and say how things are then."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Which one."""
        steps = parser.add_subparsers(dest="step", required=True)
        announce = steps.add_parser("announce", help="publish the next keys")
        announce.add_argument(
            "--days",
            type=int,
            default=NOTICE_DAYS,
            help=f"how long consumers have to take the trust root over ({NOTICE_DAYS})",
        )
        steps.add_parser("adopt", help="sign with the keys that were announced")
        end = steps.add_parser("end", help="believe a generation until a moment")
        end.add_argument("generation", type=int, help="its number, see `show`")
        moment = end.add_mutually_exclusive_group(required=True)
        moment.add_argument(
            "--until", type=_moment, help="for example 2026-11-20T10:00:00Z, or `now`"
        )
        moment.add_argument(
            "--never", action="store_true", help="nothing that it ever signed is believed"
        )
        steps.add_parser("show", help="every generation")

    def handle(self, *_args: Any, step: str, **options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Take it; each may be repeated after it was killed."""
        try:
            self._take(step, options)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        for one in signer_generations():
            self.stdout.write(_line(one))

    def _take(self, step: str, options: dict[str, Any]) -> None:
        now, generations = timezone.now(), wiring.signer_generations()
        if step == "announce":
            notice = timedelta(days=options["days"])
            version = announce_signer_keys(
                generations=generations, notice=notice, actor=OPERATOR, now=now
            )
            self.stdout.write(f"trust root {version} has the next keys: let consumers take it over")
        elif step == "adopt":
            version = adopt_signer_keys(generations=generations, actor=OPERATOR, now=now)
            self.stdout.write(f"trust root {version} ends the old keys")
        elif step == "end":
            number = options["generation"]
            ended = end_signer_keys(
                generations=generations,
                generation=number,
                until=options["until"] or _before(number, now=now),
                actor=OPERATOR,
                now=now,
            )
            self.stdout.write(
                f"trust root {ended.version}; statements of the generation that are not believed "
                f"any more: {ended.not_believed}"
            )


def _moment(text: str) -> datetime:
    """A moment with its time zone, or `now`."""
    if text == "now":
        return timezone.now()
    moment = parse_datetime(text)
    if moment is None or moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _before(generation: int, *, now: datetime) -> datetime:
    """A moment at which nobody believed the generation yet."""
    found = (one.believed_from for one in signer_generations() if one.number == generation)
    return min(next(found, now), now) - timedelta(seconds=1)


def _line(one: GenerationStatus) -> str:
    return f"generation {one.number}: {'; '.join(_said(one))}"


def _said(one: GenerationStatus) -> Iterator[str]:
    since = one.believed_from.isoformat()
    if one.is_announced:
        yield f"announced, believed from {since}"
        return
    yield "signs" if one.is_used else "retired"
    yield f"{one.statements} statements"
    if one.believed_until is not None and one.believed_until < one.believed_from:
        yield "not believed"
    else:
        until = one.believed_until.isoformat() if one.believed_until is not None else ""
        yield f"believed from {since}" + (f" to {until}" if until else "")
