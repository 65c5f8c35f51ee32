"""What is measured: each row's trials, one for each contestant, repeated in turn."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import psutil
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import UnsafeNoOp
from sigstore_models.trustroot import v1 as trustroot

from tests.bench.arena import Arena
from tests.bench.contestants import Contestant, Strongroom
from tests.bench.load import MEBIBYTE, Body, Links, Work, drive
from tests.bench.publishing import published, signed
from tests.bench.rows import CLIENTS, SMALL, WEB, WORKER, Amounts, Row, Trial, bodies, slug
from tests.embedded.family import find


def rows_of(arena: Arena, amounts: Amounts, *, rounds: int) -> list[Row]:
    """The rows that the contestants who are there allow, for so many counted rounds."""
    ours = [one for one in (arena.directory, arena.bucket) if one is not None]
    uploading: list[Contestant] = [*ours, *arena.peers]
    reading: list[Contestant] = [*ours, *arena.peers]
    if arena.behind_nginx is not None:
        reading.append(arena.behind_nginx)
    rows = [
        *_uploads(uploading, arena.peers, amounts),
        *_direct(arena, amounts),
        *_downloads(reading, arena.peers, amounts),
        published(arena, amounts),
        *_verified(arena, amounts),
        *signed(rounds),
    ]
    return [row for row in rows if row.against]


def _uploads(
    all_of_them: Sequence[Contestant], peers: Sequence[Contestant], amounts: Amounts
) -> list[Row]:
    def small(one: Contestant) -> Trial:
        def run(number: int, times: int) -> float:
            sent = bodies(one, f"small-{number}", SMALL, times)
            seconds, _ = drive([one.upload(body) for body in sent], clients=CLIENTS)
            return len(sent) / seconds

        return Trial(one.name, run, amounts.small_files)

    def large(one: Contestant) -> Trial:
        def run(number: int, _times: int) -> float:
            [body] = bodies(one, f"large-{number}", amounts.large_bytes, 1)
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

    def ours(number: int, _times: int) -> float:
        body = Body(f"direct-{number}", amounts.large_bytes)
        seconds, [build] = drive([store.direct(body)])
        store.seal(str(build), body)
        return body.size / MEBIBYTE / seconds

    def theirs(number: int, _times: int) -> float:
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

        def run(_: int, times: int) -> float:
            if not kept:
                sent = bodies(one, f"read-{reading.size}", reading.size, reading.files)
                drive([one.upload(body) for body in sent], clients=reading.clients)
                one.settle(sent)
                kept.extend(one.download(body) for body in sent)
            works = again(kept, times)
            seconds, _answers = drive(works, clients=reading.clients)
            return len(works) * reading.counts / seconds

        return Trial(one.name, run, reading.most)

    few = _Reading(SMALL, files=20, most=amounts.small_reads, clients=CLIENTS, counts=1)
    size = amounts.large_bytes
    one_large = _Reading(size, files=1, most=1, clients=1, counts=size / MEBIBYTE)
    return [
        _row(f"verified download {what}", unit, [trial(one, which) for one in all_of_them], peers)
        for what, unit, which in (
            ("10 KiB, 4 clients", "files/s", few),
            ("256 MiB", "MiB/s", one_large),
        )
    ]


@dataclass(frozen=True)
class _Reading:
    """So many files of a size, read so often at most; `counts` is what one reading adds."""

    size: int
    files: int
    most: int
    clients: int
    counts: float


def _verified(arena: Arena, amounts: Amounts) -> list[Row]:
    """The answer about an artifact, judged and remembered; beside it sigstore-python alone."""
    store = arena.directory
    judged: dict[int, list[Work]] = {}

    def asks(number: int, times: int) -> list[Work]:
        sent = bodies(store, f"judged-{number}", SMALL, times)
        drive([store.upload(body) for body in sent], clients=CLIENTS)
        store.settle(sent)
        return [_ask_verdict(store, str(store.artifact(body)["id"])) for body in sent]

    def rate(works: list[Work]) -> float:
        seconds, _ = drive(works)
        return len(works) / seconds

    def first(number: int, times: int) -> float:
        judged[number] = asks(number, times)
        return rate(judged[number])

    def kept(number: int, times: int) -> float:
        if number not in judged:
            first(number, times)
        return rate(again(judged[number], times))

    def alone(_: int, times: int) -> float:
        verifier, bundle = _sigstore_alone(arena)
        began = time.monotonic()
        for _each in range(times):
            verifier.verify_dsse(bundle, UnsafeNoOp())
        return times / (time.monotonic() - began)

    name, most = "sigstore-python alone", amounts.verifications
    other = Trial(name, alone, most)
    return [
        Row(title, "answers/s", [Trial(store.name, ours, most), other], store.name, name)
        for title, ours in (
            ("first verification, over HTTP", first),
            ("kept verification, over HTTP", kept),
        )
    ]


def again(works: Sequence[Work], times: int) -> list[Work]:
    """So many works, from the first on and again."""
    return list(islice(cycle(works), times))


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
    body = Body(f"{slug(store.name)}/judged-0/0", SMALL)
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
