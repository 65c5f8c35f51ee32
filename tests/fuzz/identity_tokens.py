"""Fuzz identity tokens, key sets and claims: `python -m tests.fuzz.identity_tokens --seconds 3600`.

Every case is a good token with up to three mutations, rebuilt from its seed alone. Access answers
it, an independent reading checks the answer (tests/fuzz/oracle.py). What differs is a finding; it
is kept as the fewest mutations that still give it. Ends with 1 when there is any.
"""

import argparse
import json
import sys
import time
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.fuzz import claim_mutations, form_mutations, key_mutations
from tests.fuzz.drafts import Draft, Mutation, Stage, Step, built
from tests.fuzz.oracle import Outcome, outcome, told

# Stages that are bent more often stand there more often.
STAGES: Final = (
    *[Stage.CLAIMS] * 7,
    *[Stage.HEADER] * 2,
    *[Stage.JSON] * 3,
    *[Stage.BASE64] * 2,
    Stage.SIGNING,
    *[Stage.SIGNATURE] * 2,
    *[Stage.TEXT] * 2,
    *[Stage.KEYS] * 3,
)
MUTATIONS: Final[Mapping[Stage, Sequence[Mutation]]] = {
    Stage.CLAIMS: claim_mutations.CLAIMS,
    Stage.HEADER: claim_mutations.HEADER,
    Stage.JSON: form_mutations.JSON,
    Stage.BASE64: form_mutations.BASE64,
    Stage.SIGNING: form_mutations.SIGNING,
    Stage.SIGNATURE: form_mutations.SIGNATURE,
    Stage.TEXT: form_mutations.TEXT,
    Stage.KEYS: key_mutations.KEYS,
}
_COUNTS: Final = (0, *[1] * 22, *[2] * 16, *[3] * 9)
_PLATFORMS: Final = ("github", "github", "gitlab", "gitlab", "generic")
_ALGORITHMS: Final = ("ES256", "ES256", "ES256", "RS256")
_MOST_REPRODUCERS: Final = 5
_RETRIES_OF_SLOW: Final = 3


@dataclass(frozen=True, slots=True)
class Case:
    """A token's recipe."""

    platform: str
    algorithm: str
    steps: tuple[Step, ...]

    def draft(self) -> Draft:
        """The token itself, the same every time."""
        return built(self.platform, self.algorithm, list(self.steps))


@dataclass(slots=True)
class Run:
    """What a run has seen so far."""

    seed: int
    cases: int = 0
    unbuilt: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    mutations: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    reproducers: list[dict[str, Any]] = field(default_factory=list)
    slowest_seconds: float = 0.0
    slowest: tuple[str, ...] = ()

    def summary(self, seconds: float) -> dict[str, Any]:
        """All of it, as JSON values."""
        return {
            "seed": self.seed,
            "seconds": round(seconds, 1),
            "cases": self.cases,
            "unbuilt": self.unbuilt,
            "outcomes": dict(self.outcomes.most_common()),
            "mutations": dict(self.mutations.most_common()),
            "slowest_ms": round(self.slowest_seconds * 1000, 2),
            "slowest": list(self.slowest),
            "findings": dict(self.findings.most_common()),
            "reproducers": self.reproducers,
        }


def drawn(seed: int, index: int) -> Case:
    """The recipe of one case of a run."""
    random = Random(f"{seed}:{index}")  # noqa: S311 - reproducible by its seed
    steps = []
    for number in range(random.choice(_COUNTS)):
        stage = random.choice(STAGES)
        mutation = random.choice(MUTATIONS[stage])
        steps.append(Step(stage, mutation, f"{seed}:{index}:{number}"))
    return Case(random.choice(_PLATFORMS), random.choice(_ALGORITHMS), tuple(steps))


def answer(case: Case) -> Outcome | None:
    """What access says of it; None when the mutations do not go together."""
    try:
        draft = case.draft()
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    said = outcome(draft, is_unbent=not case.steps)
    # Another program may have had the processor's caches: slow is what stays slow.
    for _ in range(_RETRIES_OF_SLOW if said.finding == "slow" else 0):
        again = outcome(draft)
        said = again if again.seconds < said.seconds else said
    return said


def minimal(case: Case, finding: str) -> Case:
    """The fewest steps that still give the finding."""
    for step in case.steps:
        less = Case(case.platform, case.algorithm, tuple(s for s in case.steps if s is not step))
        said = answer(less)
        if said is not None and said.finding == finding:
            return minimal(less, finding)
    return case


def advance(run: Run) -> None:
    """One case more."""
    case = drawn(run.seed, run.cases)
    run.cases += 1
    said = answer(case)
    if said is None:
        run.unbuilt += 1
        return
    run.outcomes[said.code] += 1
    run.mutations.update(step.name for step in case.steps)
    if said.seconds > run.slowest_seconds:
        run.slowest_seconds, run.slowest = said.seconds, tuple(step.name for step in case.steps)
    if said.finding:
        run.findings[said.finding] += 1
        if run.findings[said.finding] <= _MOST_REPRODUCERS:
            run.reproducers.append(_reproducer(run.cases - 1, case, said.finding))


def _reproducer(index: int, case: Case, finding: str) -> dict[str, Any]:
    smallest = minimal(case, finding)
    draft = smallest.draft()
    return {
        "finding": finding,
        "case": index,
        "platform": smallest.platform,
        "algorithm": smallest.algorithm,
        "steps": [{"name": step.name, "seed": step.seed} for step in smallest.steps],
        "parts": [repr(part)[:3000] for part in draft.parts],
        "text": ascii(draft.text)[:20_000],
        "keys": ascii(draft.keys_text)[:20_000],
    }


def main(arguments: Sequence[str]) -> int:
    """Run for the time given, say every minute how it goes, and sum up at the end."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=Path, help="a file for the summary with its reproducers")
    asked = parser.parse_args(arguments)
    warnings.simplefilter("error")
    run, began = Run(asked.seed), time.monotonic()
    told_at = began
    while time.monotonic() - began < asked.seconds:
        for _ in range(100):
            advance(run)
        if time.monotonic() - told_at >= 60:
            told_at = time.monotonic()
            _progress(run, told_at - began)
    summary = run.summary(time.monotonic() - began)
    sys.stdout.write(told(summary) + "\n")
    if asked.save is not None:
        asked.save.write_text(told(summary) + "\n")
    return 1 if run.findings else 0


def _progress(run: Run, seconds: float) -> None:
    line = {
        "minute": round(seconds / 60),
        "cases": run.cases,
        "slowest_ms": round(run.slowest_seconds * 1000, 2),
        "findings": dict(run.findings),
        "outcomes": dict(run.outcomes.most_common()),
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
