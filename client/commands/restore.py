"""`strongroom restore`: give back what was yanked, or what is in the trash."""

from argparse import ArgumentParser, Namespace
from typing import Final

from client.commands.reasons import add_named, do_to
from client.console import Console
from client.exits import ExitCode

NAME: Final = "restore"
HELP: Final = "give back an artifact from the trash, or end a yank"


def add(parser: ArgumentParser) -> None:
    """Which, and why."""
    add_named(parser)


def run(args: Namespace, console: Console) -> ExitCode:
    """Restore."""
    found = do_to(args, "restore", console)
    if args.build is not None:
        console.say(f"build {args.build}: {found.get('artifacts')} files are listed again")
    else:
        console.say(f"artifact {args.artifact} is there: {found.get('path')}")
    return ExitCode.DONE
