"""Break one part of a running store after another, and write down what became of every upload.

`python -m tests.soak --seconds 30 --out FILE` writes the table; the tests run a short one.
Jobs upload all the time. What was acknowledged must be published afterwards, with exactly one
statement that counts; what was not must have been refused with a problem's code, or its
connection broken.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.embedded.family import ask, eventually, find, is_ready
from tests.factories.private_sigstore.serving import Answer
from tests.soak.stores import Store, always, on_rabbitmq, on_valkey, slow
from tests.soak.uploads import Counts, Uploads, counting_statements, counts, is_drained, uploading

DRAIN_SECONDS: Final = 300
SAMPLE: Final = 10
# Longer than a worker waits for a service that is silent (15 s).
SLOW_SECONDS: Final = 20

Outage = Callable[[Store], AbstractContextManager[None]]


@dataclass
class Row:
    """One outage: how long, what was tried, what the store said, and what was left of it."""

    store: str
    outage: str
    seconds: float
    drained_seconds: float
    before: Counts
    after: Counts
    uploads: Uploads
    ready: str
    why: set[str] = field(default_factory=set)

    @property
    def unclear(self) -> list[str]:
        """Refusals that are no problem documents, or say that we have a defect."""
        return [code for code in self.uploads.refused if " " in code or code == "unexpected"]

    def cells(self) -> list[str]:
        refused = ", ".join(f"{count} {code}" for code, count in self.uploads.refused.items())
        return [
            self.store,
            self.outage,
            f"{self.seconds:.0f} s",
            str(self.uploads.tried),
            str(len(self.uploads.acknowledged)),
            refused or "0",
            str(self.uploads.unanswered),
            self.ready,
            "; ".join(sorted(self.why)) or "-",
            f"{self.drained_seconds:.0f} s",
            f"{self.before.builds} → {self.after.builds}",
            f"{self.before.statements} → {self.after.statements}",
        ]


HEAD: Final = (
    *("broker", "outage", "lasted", "tried", "acknowledged", "refused", "cut off", "`/readyz`"),
    *("the queue said", "all published after", "builds", "statements"),
)


def outages(store: Store) -> dict[str, Outage]:
    """What can be broken of a store, by name."""
    found: dict[str, Outage] = {
        "broker refuses": lambda store: store.broker.refused(),
        "broker silent": lambda store: store.broker.silent(),
        "broker emptied": _emptied,
        "database restarted, fast": lambda store: _killed(store, "postgres", signal.SIGINT),
        "database restarted, immediate": lambda store: _killed(store, "postgres", signal.SIGQUIT),
        "database killed": lambda store: _killed(store, "postgres", signal.SIGKILL),
        "database silent": lambda store: _halted(store, "a postgres backend"),
        "web server killed": lambda store: _killed(store, "web", signal.SIGKILL),
        "worker killed": lambda store: _killed(store, "worker", signal.SIGKILL),
        "relay killed": lambda store: _killed(store, "relay", signal.SIGKILL),
        "beat killed": lambda store: _killed(store, "beat", signal.SIGKILL),
    }
    if store.triggers:
        found["worker killed at each of its steps"] = _killed_at_each_step
    for name in store.services:
        found |= {
            f"{name} {how}": _service_outage(name, how) for how in ("refuses", "silent", *MOODS)
        }
    return found


MOODS: Final = {
    "slow": slow(SLOW_SECONDS),
    "answers 500": always(Answer(b"oops", 500)),
    "answers garbage": always(Answer(b"<html>Welcome to our network</html>")),
}


def _service_outage(name: str, how: str) -> Outage:
    def outage(store: Store) -> AbstractContextManager[None]:
        service = store.services[name]
        if how == "refuses":
            return service.gate.refused()
        if how == "silent":
            return service.gate.silent()
        return service.in_a_mood(MOODS[how])

    return outage


@contextmanager
def _emptied(store: Store) -> Iterator[None]:
    """What waits in the broker is thrown away while it lasts, again and again."""
    with _halted(store, "worker"), _halted(store, "a pool child of the worker"):
        store.empty_broker()
        yield
        store.empty_broker()


def _killed(store: Store, kind: str, number: signal.Signals) -> AbstractContextManager[None]:
    victim = min(process.pid for process in find(store.instance.home, kind))
    os.kill(victim, number)
    return nullcontext()


@contextmanager
def _halted(store: Store, kind: str) -> Iterator[None]:
    halted = [process.pid for process in find(store.instance.home, kind)]
    try:
        for pid in halted:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in halted:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextmanager
def _killed_at_each_step(store: Store) -> Iterator[None]:
    for trigger in store.triggers.values():
        trigger.touch()
    yield


def suffer(store: Store, name: str, outage: Outage, *, seconds: float) -> Row:
    """One outage under load, and what was left of it when the store had caught up."""
    before = counts(store.instance)
    why: set[str] = set()
    with uploading(store.instance) as uploads:
        eventually(lambda: len(uploads.acknowledged) > 1, "uploads are acknowledged", seconds=60)
        started = time.monotonic()
        with outage(store):
            while time.monotonic() - started < seconds:
                time.sleep(min(1.0, seconds / 4))
                why |= _why_it_waits(store)
            ready = _readiness(store)
        over = time.monotonic()
    eventually(
        lambda: is_drained(store.instance), f"{name}: all is published", seconds=DRAIN_SECONDS
    )
    drained = time.monotonic() - over
    eventually(
        lambda: is_ready(store.instance), f"{name}: it is ready again", seconds=DRAIN_SECONDS
    )
    assert not [step for step, trigger in store.triggers.items() if trigger.exists()]
    return Row(
        store=store.name,
        outage=name,
        seconds=over - started,
        drained_seconds=drained,
        before=before,
        after=counts(store.instance),
        uploads=uploads,
        ready=ready,
        why=why,
    )


def check(store: Store, row: Row) -> None:
    """Everything that was promised, of one outage."""
    acknowledged = row.uploads.acknowledged
    assert not row.unclear, row.uploads.refused
    assert row.after.several == 0, "a build has two statements"
    assert row.after.builds == row.after.published == row.after.statements
    assert row.after.builds - row.before.builds >= len(acknowledged)
    # Each of them by the database; some of them, the first and the last, by asking the store.
    asked = [*list(acknowledged.values())[:SAMPLE], *list(acknowledged.values())[-SAMPLE:]]
    assert {counting_statements(store.instance, artifact) for artifact in asked} == {1}


def _why_it_waits(store: Store) -> set[str]:
    """What the signing queue says, where it can be asked: each reason has its next attempt."""
    request = urllib.request.Request(  # noqa: S310 - the instance under test
        f"{store.instance.url}/api/v1/signing-queue",
        headers={"Authorization": f"Bearer {store.instance.admin_token}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - as above
            reasons = json.load(answer)["reasons"]
    except (OSError, ValueError):
        return set()
    return {
        f"{one['last_error']} ({one['service'] or 'signer'}: {one['reason']})"
        for one in reasons
        if one["last_error"] and one["next_attempt_at"]
    }


def _readiness(store: Store) -> str:
    found = _asked(store, "/readyz")
    failed = [name for name, part in found.get("checks", {}).items() if not part["ok"]]
    return f"{found['status']}: {', '.join(failed)}" if failed else str(found.get("status", "-"))


def _asked(store: Store, path: str) -> Mapping[str, Any]:
    try:
        return ask(store.instance, "GET", path)
    except (OSError, urllib.error.URLError, ValueError):
        return {}


STORES: Final = {"rabbitmq": on_rabbitmq, "valkey": on_valkey}


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = [HEAD, ["---"] * len(HEAD), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def main() -> int:
    """Run every outage on both stores; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="how long each outage lasts")
    parser.add_argument("--out", type=Path, help="the table's file (else standard output)")
    parser.add_argument("--store", choices=STORES, help="one of the two stores (else both)")
    parser.add_argument("--only", default="", help="outages whose name has this in it")
    options = parser.parse_args()
    rows: list[Row] = []
    broken = 0
    for start in [STORES[options.store]] if options.store else STORES.values():
        with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as store:
            for name, outage in outages(store).items():
                if options.only not in name:
                    continue
                rows.append(suffer(store, name, outage, seconds=options.seconds))
                print(" | ".join(rows[-1].cells()), flush=True)  # noqa: T201 - a program's progress
                try:
                    check(store, rows[-1])
                except AssertionError as error:
                    broken += 1
                    print(f"BROKEN: {error}", flush=True)  # noqa: T201 - as above
    if options.out:
        options.out.write_text(table(rows))
    else:
        sys.stdout.write(table(rows))
    return 1 if broken else 0
