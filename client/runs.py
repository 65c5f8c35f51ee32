"""Runs of retention plans and bulk actions: a worker of the store goes on with them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any, Final

from client.answers import member
from client.build import POLL_SECONDS
from client.errors import RunEndedEarly, RunNotEndedInTime
from client.http import Store

RUNNING: Final = "running"
DONE: Final = "done"


@dataclass(frozen=True, slots=True)
class Far:
    """How far a run is, in artifacts; `named` says whose it is, `left` what it has done so far."""

    state: str
    looked_at: int
    total: int
    named: Mapping[str, object]
    left: Mapping[str, object] = field(default_factory=dict)

    def require_whole(self) -> None:
        """Refuse a run that did not come to its end.

        Raises:
            RunEndedEarly: it was cancelled, or its plan became stale.
        """
        if self.state not in (RUNNING, DONE):
            raise RunEndedEarly(**self.named, state=self.state, **self.left)


def far_of_plan(plan: Mapping[str, Any]) -> Far:
    """How far a retention plan is applied that somebody lets go."""
    run = member(plan, "run", dict)
    return Far(
        member(run, "state", str),
        sum(member(run, f"{what}_artifacts", int) for what in ("removed", "spared")),
        member(plan, "artifacts", int),
        {"plan": plan.get("id")},
        {name: run.get(name) for name in ("changed", "removed_artifacts")},
    )


def far_of_bulk_action(action: Mapping[str, Any]) -> Far:
    """How far a bulk action is that somebody has started."""
    run = member(action, "run", dict)
    expected = member(action, "expected", dict)
    return Far(
        member(run, "state", str),
        member(run, "looked_at", int),
        sum(number for number in expected.values() if isinstance(number, int)),
        {"bulk_action": action.get("id")},
        {"outcomes": run.get("outcomes")},
    )


def wait_until_ended(
    store: Store,
    address: str,
    *,
    far_of: Callable[[Mapping[str, Any]], Far],
    seconds: float,
    on_progress: Callable[[str], None],
) -> dict[str, Any]:
    """Wait for the end of the run of what is at this address, and give that.

    Raises:
        RunEndedEarly: it was cancelled, or its plan became stale.
        RunNotEndedInTime: it goes on after this time.
    """
    deadline = time.monotonic() + seconds
    pauses = chain(POLL_SECONDS, repeat(POLL_SECONDS[-1]))
    while True:
        found = store.get(address).document
        far = far_of(found)
        far.require_whole()
        if far.state == DONE:
            return found
        on_progress(f"{far.looked_at} of {far.total} artifacts")
        pause = next(pauses)
        if time.monotonic() + pause > deadline:
            raise RunNotEndedInTime(**far.named, waited_seconds=seconds, looked_at=far.looked_at)
        time.sleep(pause)
