"""What `push` and `seal` end with: waiting until the build is published, and what it says then."""

from argparse import ArgumentTypeError, _ArgumentGroup
from collections.abc import Mapping
from typing import Any, Final

from client.answers import member
from client.build import wait_until_published
from client.console import Console
from client.exits import ExitCode
from client.http import Store
from client.summary import provenance_of, show_provenance

WAIT_SECONDS: Final = 600


def add_wait(group: _ArgumentGroup, until: str = "it is published") -> None:
    """The option; `client.cli` spells a bare `--wait` out, or it would take the next word."""
    group.add_argument(
        "--wait",
        type=_seconds,
        metavar="SECONDS",
        help=f"until {until}: --wait, or --wait=SECONDS ({WAIT_SECONDS})",
    )


def show_outcome(
    store: Store,
    sealed: Mapping[str, Any],
    document: Mapping[str, Any],
    *,
    wait: float | None,
    console: Console,
) -> ExitCode:
    """Say how the build stands, and with `wait` how it ended and what its provenance says."""
    if wait is None:
        console.result({**document, "state": sealed.get("state")})
        return ExitCode.DONE
    build = wait_until_published(
        store,
        member(sealed, "id", str),
        seconds=wait,
        on_state=lambda reason: console.progress(f"waiting for {reason}"),
    )
    console.progress("published", is_last=True)
    found = provenance_of(store, build)
    show_provenance(console, found)
    console.result({**document, "state": build.get("state"), "provenance": found})
    return ExitCode.DONE


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ArgumentTypeError("a number of seconds")
    return seconds
