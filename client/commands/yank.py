"""`strongroom yank`: take back what was published; who names it exactly still gets it, warned."""

from argparse import ArgumentParser, Namespace
from typing import Final

from client.commands.reasons import add_named, do_to
from client.console import Console
from client.exits import ExitCode

NAME: Final = "yank"
HELP: Final = "hide an artifact, or a build's files, from lists and latest"


def add(parser: ArgumentParser) -> None:
    """Which, and why."""
    add_named(parser)


def run(args: Namespace, console: Console) -> ExitCode:
    """Yank."""
    found = do_to(args, "yank", console)
    if args.build is not None:
        console.say(f"build {args.build}: {found.get('artifacts')} files are yanked now")
    else:
        console.say(f"artifact {args.artifact} is yanked")
    return ExitCode.DONE
