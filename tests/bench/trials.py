"""What is measured: each row's trials, one for each contestant, repeated in turn.

A row names the contestant that it is about and the one that it is held against; the ratio of
both, taken round by round, is the figure to quote.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import UnsafeNoOp
from sigstore_models.trustroot import v1 as trustroot

from tests.bench.arena import Arena
from tests.bench.contestants import Contestant, Strongroom
from tests.bench.load import MEBIBYTE, Body, Links, Work, drive
from tests.embedded.family import find
from tests.factories.bundles import Instance

SMALL: Final = 10 * 1024
CLIENTS: Final = 4
WEB: Final = "a web worker"
WORKER: Final = "a pool child of the worker"


@dataclass(frozen=True)
class Amounts:
    """How much one round moves."""

    small_files: int = 400
    small_reads: int = 2000
    large_bytes: int = 256 * MEBIBYTE
    builds: int = 200
    verifications: int = 200


@dataclass(frozen=True)
class Trial:
    """One contestant's part of a row: `run` measures round N and gives a rate, more is better."""

    contestant: str
    run: Callable[[int], float]


@dataclass(frozen=True)
class Row:
    """Trials that do the same. `busy` is the kind of process in which the store spends the time."""

    name: str
    unit: str
    trials: Sequence[Trial]
    ours: str
    against: str
    busy: str = WEB


@dataclass
class Measured:
    """The rates of a row by contestant, one for each round, in order."""

    row: Row
    rates: dict[str, list[float]] = field(default_factory=dict)

    def median(self, contestant: str) -> float:
        """The middle rate."""
        return statistics.median(self.rates[contestant])

    def ratio(self) -> float:
        """How much of the other's rate ours is: the median of the rounds' own ratios."""
        pairs = zip(self.rates[self.row.ours], self.rates[self.row.against], strict=True)
        return statistics.median(ours / other for ours, other in pairs)


def measure(rows: Sequence[Row], *, rounds: int, say: Callable[[str], None]) -> list[Measured]:
    """Every row, a warming round first; within a round contestants take turns in going first."""
    results = []
    for row in rows:
        measured = Measured(row, {trial.contestant: [] for trial in row.trials})
        for number in range(rounds + 1):
            first = number % len(row.trials)
            for trial in (*row.trials[first:], *row.trials[:first]):
                rate = trial.run(number)
                if number > 0:
                    measured.rates[trial.contestant].append(rate)
        say(f"{row.name}: {row.ours} {measured.median(row.ours):,.0f} {row.unit}")
        results.append(measured)
    return results


def rows_of(arena: Arena, amounts: Amounts) -> list[Row]:
    """The rows that the contestants who are there allow."""
    ours = [one for one in (arena.directory, arena.bucket) if one is not None]
    uploading: list[Contestant] = [*ours, *arena.peers]
    reading: list[Contestant] = [*ours, *arena.peers]
    if arena.behind_nginx is not None:
        reading.append(arena.behind_nginx)
    rows = [
        *_uploads(uploading, arena.peers, amounts),
        *_direct(arena, amounts),
        *_downloads(reading, arena.peers, amounts),
        _published(arena, amounts),
        *_verified(arena, amounts),
    ]
    return [row for row in rows if row.against]


def _uploads(
    all_of_them: Sequence[Contestant], peers: Sequence[Contestant], amounts: Amounts
) -> list[Row]:
    def small(one: Contestant) -> Trial:
        def run(number: int) -> float:
            bodies = _bodies(one, f"small-{number}", SMALL, amounts.small_files)
            seconds, _ = drive([one.upload(body) for body in bodies], clients=CLIENTS)
            return len(bodies) / seconds

        return Trial(one.name, run)

    def large(one: Contestant) -> Trial:
        def run(number: int) -> float:
            [body] = _bodies(one, f"large-{number}", amounts.large_bytes, 1)
            seconds, _ = drive([one.upload(body)])
            return body.size / MEBIBYTE / seconds

        return Trial(one.name, run)

    return [
        _row("upload 10 KiB, 4 clients", "files/s", [small(one) for one in all_of_them], peers),
        _row(
            "upload 256 MiB, through the app", "MiB/s", [large(one) for one in all_of_them], peers
        ),
    ]


def _direct(arena: Arena, amounts: Amounts) -> Iterator[Row]:
    store, raw = arena.bucket, arena.raw_s3
    if store is None or raw is None:
        return

    def ours(number: int) -> float:
        body = Body(f"direct-{number}", amounts.large_bytes)
        seconds, [build] = drive([store.direct(body)])
        store.seal(str(build), body)
        return body.size / MEBIBYTE / seconds

    def theirs(number: int) -> float:
        body = Body(f"direct-{number}", amounts.large_bytes)
        seconds, _ = drive([raw.direct(body)])
        return body.size / MEBIBYTE / seconds

    trials = [Trial(store.name, ours), Trial(raw.name, theirs)]
    yield Row("upload 256 MiB, direct", "MiB/s", trials, store.name, raw.name)


def _downloads(
    all_of_them: Sequence[Contestant], peers: Sequence[Contestant], amounts: Amounts
) -> list[Row]:
    def trial(one: Contestant, reading: "_Reading") -> Trial:
        kept: list[Work] = []

        def run(_: int) -> float:
            if not kept:
                bodies = _bodies(one, f"read-{reading.size}", reading.size, reading.files)
                drive([one.upload(body) for body in bodies], clients=reading.clients)
                one.settle(bodies)
                kept.extend(one.download(body) for body in bodies)
            works = kept * reading.times
            seconds, _answers = drive(works, clients=reading.clients)
            return len(works) * reading.counts / seconds

        return Trial(one.name, run)

    few = _Reading(SMALL, files=100, times=amounts.small_reads // 100, clients=CLIENTS, counts=1)
    size = amounts.large_bytes
    one_large = _Reading(size, files=1, times=2, clients=1, counts=size / MEBIBYTE)
    return [
        _row(f"verified download {what}", unit, [trial(one, which) for one in all_of_them], peers)
        for what, unit, which in (
            ("10 KiB, 4 clients", "files/s", few),
            ("256 MiB", "MiB/s", one_large),
        )
    ]


@dataclass(frozen=True)
class _Reading:
    """So many files of a size, each so many times; `counts` is what one of them adds."""

    size: int
    files: int
    times: int
    clients: int
    counts: float


def _published(arena: Arena, amounts: Amounts) -> Row:
    """Sealed builds that wait, then the worker: how many are published in a second.

    Held against the cryptography alone: a key, a certificate, its SCT and a log entry for each
    statement, made in memory by one thread.
    """
    store = arena.directory

    def ours(number: int) -> float:
        bodies = _bodies(store, f"sealed-{number}", SMALL, amounts.builds)
        with stopped_worker(arena):
            drive([store.upload(body) for body in bodies], clients=CLIENTS)
        began = time.monotonic()
        store.settle(bodies)
        return len(bodies) / (time.monotonic() - began)

    def bare(_: int) -> float:
        instance = Instance()
        began = time.monotonic()
        for _each in range(amounts.builds):
            instance.bundle()
        return amounts.builds / (time.monotonic() - began)

    name = "the cryptography alone"
    trials = [Trial(store.name, ours), Trial(name, bare)]
    title = "sealed to published, embedded signer"
    return Row(title, "builds/s", trials, store.name, name, busy=WORKER)


@contextmanager
def stopped_worker(arena: Arena) -> Iterator[None]:
    """The attesting worker as it stands still."""
    family = [process for kind in ("worker", WORKER) for process in find(arena.instance.home, kind)]
    for process in family:
        process.suspend()
    try:
        yield
    finally:
        for process in family:
            process.resume()


def _verified(arena: Arena, amounts: Amounts) -> list[Row]:
    """The answer about an artifact, judged and remembered; beside it sigstore-python alone."""
    store = arena.directory
    fresh: dict[int, list[Work]] = {}

    def asks(number: int) -> list[Work]:
        if number not in fresh:
            bodies = _bodies(store, f"judged-{number}", SMALL, amounts.verifications)
            drive([store.upload(body) for body in bodies], clients=CLIENTS)
            store.settle(bodies)
            fresh[number] = [
                _ask_verdict(store, str(store.artifact(body)["id"])) for body in bodies
            ]
        return fresh[number]

    def rate(works: list[Work]) -> float:
        seconds, _ = drive(works)
        return len(works) / seconds

    def alone(_: int) -> float:
        verifier, bundle = _sigstore_alone(arena)
        began = time.monotonic()
        for _each in range(amounts.verifications):
            verifier.verify_dsse(bundle, UnsafeNoOp())
        return amounts.verifications / (time.monotonic() - began)

    name = "sigstore-python alone"
    other = Trial(name, alone)
    first = Trial(store.name, lambda number: rate(asks(number)))
    again = Trial(store.name, lambda number: rate(asks(number)))
    return [
        Row("first verification, over HTTP", "answers/s", [first, other], store.name, name),
        Row("kept verification, over HTTP", "answers/s", [again, other], store.name, name),
    ]


def _ask_verdict(store: Strongroom, artifact: str) -> Work:
    url = f"{store.url}/api/v1/artifacts/{artifact}/verification"
    headers = {"Authorization": f"Bearer {store.read_token}"}

    def ask(links: Links) -> None:
        document = json.loads(links.ask("GET", url, headers=headers).body)
        if document["verdict"] != "passed":
            raise SystemExit(f"{url} does not allow")

    return ask


def _sigstore_alone(arena: Arena) -> tuple[Verifier, Bundle]:
    """A verifier with the store's trust root, and one of its bundles."""
    store, links = arena.directory, Links()
    body = Body(f"{_slug(store.name)}/judged-0/0", SMALL)
    headers = {"Authorization": f"Bearer {store.read_token}"}
    url = f"{store.url}/api/v1/artifacts/{store.artifact(body)['id']}/attestations"
    [attestation] = json.loads(links.ask("GET", url, headers=headers).body)["attestations"]
    bundle = Bundle.from_json(links.ask("GET", attestation["url"], headers=headers).body)
    root = links.ask("GET", f"{store.url}/.well-known/trusted_root.json").body
    return Verifier(trusted_root=TrustedRoot(trustroot.TrustedRoot.from_json(root))), bundle


def memory(arena: Arena) -> dict[str, tuple[int, int]]:
    """Bytes of the largest process of each kind: its share of memory (PSS) now, its peak (RSS)."""
    found = {}
    for kind in (WEB, WORKER, "relay", "beat", "sealer"):
        sizes = [
            (process.memory_full_info().pss, _peak(process))
            for process in find(arena.instance.home, kind)
        ]
        if sizes:
            found[kind] = max(sizes)
    return found


def _peak(process: psutil.Process) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _row(name: str, unit: str, trials: Sequence[Trial], peers: Sequence[Contestant]) -> Row:
    """Ours is the first contestant; it is held against the first peer that is there."""
    return Row(name, unit, trials, trials[0].contestant, peers[0].name if peers else "")


def _bodies(one: Contestant, name: str, size: int, count: int) -> list[Body]:
    return [Body(f"{_slug(one.name)}/{name}/{number}", size) for number in range(count)]


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())
