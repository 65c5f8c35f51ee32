"""`strongroom`: reads the command line and runs one of the commands below."""

import os
import signal
import sys
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn, Protocol

from client.commands import (
    bulk,
    hold,
    login,
    logout,
    pull,
    push,
    quarantine,
    release,
    restore,
    retention,
    seal,
    trash,
    trust,
    usage,
    verify,
    whoami,
    yank,
)
from client.commands.waiting import WAIT_SECONDS
from client.console import Console
from client.errors import StoreRefused, exit_code
from client.exits import ExitCode
from kernel.errors import Refusal


class Command(Protocol):
    """A module of `client/commands`. `run` raises refusals; they are shown here."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a module's constant
        """The command."""

    @property
    def HELP(self) -> str:  # noqa: N802 - a module's constant
        """What it does, in half a sentence."""

    def add(self, parser: ArgumentParser) -> None:
        """Declare the command's options."""

    def run(self, args: Namespace, console: Console) -> ExitCode:
        """Do it."""


COMMANDS: Final[tuple[Command, ...]] = (
    push,
    seal,
    pull,
    verify,
    hold,
    yank,
    restore,
    trash,
    quarantine,
    release,
    bulk,
    whoami,
    login,
    logout,
    trust,
    retention,
    usage,
)

# Options whose value may be left out, and what they then mean. Left to argparse, they would take
# the next word of the line for it.
BARE: Final[Mapping[str, str]] = {"--wait": f"--wait={WAIT_SECONDS}"}


class Terminated(BaseException):
    """SIGTERM, as an exception: what is half done is cleaned up on the way."""


def main() -> NoReturn:
    """The process: never returns.

    It does not wait for threads in the middle of a transfer: what they had begun is whole on the
    store, or litter that the store removes, and the next run finds out which.
    """
    signal.signal(signal.SIGTERM, _terminate)
    code = run(sys.argv[1:], os.environ)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # whoever read along has left
            code = code or ExitCode.REFUSED
    os._exit(code)


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> ExitCode:
    """Run one command; how it ended."""
    args = _parser().parse_args(spelled_out(arguments))
    console = Console(is_json=args.json, is_quiet=args.quiet, environ=environ)
    args.environ = environ
    try:
        return _run(args.run, args, console)
    except KeyboardInterrupt:
        console.note("interrupted; the same command again goes on from here")
        return ExitCode.INTERRUPTED
    except Terminated:
        console.note("terminated; the same command again goes on from here")
        return ExitCode.TERMINATED


def spelled_out(arguments: Sequence[str]) -> list[str]:
    """The arguments with the values of bare options; what follows `--` is left alone."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [*(BARE.get(one, one) for one in arguments[:end]), *arguments[end:]]


def _run(
    command: Callable[[Namespace, Console], ExitCode], args: Namespace, console: Console
) -> ExitCode:
    try:
        return command(args, console)
    except (Refusal, StoreRefused) as refusal:
        if args.debug:
            traceback.print_exc()
        store = getattr(args, "store", None) or console.environ.get("STRONGROOM_URL")
        console.refused(refusal, store=store)
        return exit_code(refusal)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.REFUSED
    except Exception:  # noqa: BLE001 - the last line of defence: says so, and ends with a code of its own
        traceback.print_exc()
        console.warn("this is a mistake in strongroom itself; please report the lines above")
        return ExitCode.DEFECT


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="strongroom",
        description="Push what a CI job built to a Strongroom, and pull it verified.",
        epilog="Exit codes: 0 done, 1 refused, 2 usage, 3 not found, 4 unreachable, 5 unsupported.",
        allow_abbrev=False,
    )
    shown = ArgumentParser(add_help=False)
    group = shown.add_argument_group("how it speaks")
    group.add_argument("--json", action="store_true", help="the result as JSON on stdout")
    group.add_argument("--quiet", action="store_true", help="only refusals and warnings")
    group.add_argument("--debug", action="store_true", help="show where a refusal was raised")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        added = commands.add_parser(
            command.NAME,
            help=command.HELP,
            description=command.HELP,
            parents=[shown],
            allow_abbrev=False,
        )
        command.add(added)
        added.set_defaults(run=command.run)
    return parser


def _terminate(_number: int, _frame: object) -> NoReturn:
    raise Terminated
