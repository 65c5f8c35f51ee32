"""Builds per second with a Sigstore instance: sealed to published by the store, and bare, in turns.

    python -m tests.bench.signing [--rounds 5] [--json FILE]

Both drive the same private Sigstore (tests/factories/private_sigstore), 32 statements at once. The
medians are of the rates, and of the ratio within each round, because the machine may be busy with
other things. CPU time is of all that takes part, in milliseconds for each statement.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.factories.private_sigstore.attestor import Sigstore

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Rate:
    """Statements per second, and the milliseconds of CPU that each took, by program."""

    per_second: float
    cpu: Mapping[str, float]


@dataclass(frozen=True)
class Round:
    """One round of both."""

    store: Rate
    bare: Rate

    @property
    def ratio(self) -> float:
        """The store's part of the bare rate."""
        return self.store.per_second / self.bare.per_second


def compare(*, rounds: int) -> list[Round]:
    """Measure in a process of its own, with a database and an instance of its own.

    A round to warm up is not among them. Takes about 20 seconds a round; the programs of the
    private Sigstore must be installed (`missing_programs`).

    Raises:
        CalledProcessError: it could not be measured; stderr says why.
    """
    ours = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR") if name in os.environ}
    with tempfile.TemporaryDirectory(prefix="strongroom-signing-") as folder:
        file = Path(folder) / "rounds.json"
        subprocess.run(
            [sys.executable, "-m", __name__, f"--rounds={rounds}", f"--json={file}"],
            cwd=ROOT,
            env=ours,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return [
            Round(Rate(**one["store"]), Rate(**one["bare"])) for one in json.loads(file.read_text())
        ]


def summed_up(rounds: Sequence[Round]) -> str:
    """The medians, and that of the rounds' own ratios."""
    store, bare = [one.store for one in rounds], [one.bare for one in rounds]
    ratio = statistics.median(one.ratio for one in rounds)
    return (
        f"medians of {len(rounds)}, load {os.getloadavg()[0]:.1f}:"
        f" store {_median(store):.1f}/s, bare {_median(bare):.1f}/s, ratio {ratio:.2f}\n"
        f"CPU of the store's: {_cpu(store)}\n"
        f"CPU of the bare:    {_cpu(bare)}"
    )


def _median(rates: Sequence[Rate]) -> float:
    return statistics.median(one.per_second for one in rates)


def _cpu(rates: Sequence[Rate]) -> str:
    medians = {
        name: statistics.median(one.cpu.get(name, 0) for one in rates) for name in rates[0].cpu
    }
    parts = ", ".join(f"{name} {value:.1f}" for name, value in sorted(medians.items()))
    return f"{sum(medians.values()):.1f} ms ({parts})"


@contextmanager
def _everything() -> Iterator["Sigstore"]:
    """PostgreSQL with the store's tables, and the private Sigstore; Django is made ready first."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django  # noqa: PLC0415 - the settings are named above

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - after django.setup()
    from django.db import connections  # noqa: PLC0415 - as above

    from tests.environment import SCRATCH  # noqa: PLC0415 - as above
    from tests.factories.postgres import running_postgres  # noqa: PLC0415 - as above
    from tests.factories.private_sigstore.attestor import Sigstore  # noqa: PLC0415 - as above
    from tests.factories.private_sigstore.instance import running_instance  # noqa: PLC0415 - as above
    from tests.factories.private_sigstore.issuer import serving_issuer  # noqa: PLC0415 - as above

    folder = SCRATCH / "sigstore"
    folder.mkdir(mode=0o700, parents=True)
    try:
        with (
            running_postgres(),
            running_instance(folder) as instance,
            serving_issuer(instance.issuer) as issuer,
        ):
            try:
                call_command("migrate_schema", verbosity=0)
                yield Sigstore(instance, issuer)
            finally:
                connections.close_all()
                connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)


def main() -> None:
    """Measure, and say so."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds, after a warming one")
    parser.add_argument("--json", type=Path, help="where every single rate is written")
    asked = parser.parse_args()
    measured = []
    with _everything() as sigstore:
        from tests.bench.signing_rounds import take_turns  # noqa: PLC0415 - after django.setup()

        for one in take_turns(sigstore, rounds=asked.rounds):
            measured.append(one)
            rates = f"store {one.store.per_second:6.1f}/s  bare {one.bare.per_second:6.1f}/s"
            sys.stdout.write(f"{rates}  {one.ratio:.2f}\n")
            sys.stdout.flush()
    if asked.json is not None:
        asked.json.write_text(json.dumps([asdict(one) for one in measured]))
    sys.stdout.write(f"{summed_up(measured)}\n")


if __name__ == "__main__":
    main()
