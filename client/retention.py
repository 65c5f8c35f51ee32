"""The run of a retention plan, as the store tells how far it is."""

import time
from collections.abc import Callable, Mapping
from itertools import chain, repeat
from typing import Any, Final

from client.answers import member
from client.build import POLL_SECONDS
from client.errors import RunEndedEarly, RunNotEndedInTime
from client.http import Store

RUNNING: Final = "running"
DONE: Final = "done"


def run_of(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The run of a plan that is being applied, or was.

    Raises:
        RunEndedEarly: it was cancelled, or its plan became stale.
    """
    run = member(plan, "run", dict)
    state = member(run, "state", str)
    if state not in (RUNNING, DONE):
        raise RunEndedEarly(
            plan=plan.get("id"),
            state=state,
            changed=run.get("changed"),
            removed_artifacts=run.get("removed_artifacts"),
        )
    return run


def wait_until_ended(
    store: Store, address: str, *, seconds: float, on_progress: Callable[[str], None]
) -> dict[str, Any]:
    """Wait for the end of the run of the plan at this address, and give the plan.

    Raises:
        RunEndedEarly: it was cancelled, or its plan became stale.
        RunNotEndedInTime: it goes on after this time.
    """
    deadline = time.monotonic() + seconds
    pauses = chain(POLL_SECONDS, repeat(POLL_SECONDS[-1]))
    while True:
        plan = store.get(address).document
        run = run_of(plan)
        if run["state"] == DONE:
            return plan
        taken = sum(member(run, f"{what}_artifacts", int) for what in ("removed", "spared"))
        on_progress(f"{taken} of {member(plan, 'artifacts', int)} artifacts")
        pause = next(pauses)
        if time.monotonic() + pause > deadline:
            raise RunNotEndedInTime(plan=plan.get("id"), waited_seconds=seconds, looked_at=taken)
        time.sleep(pause)
