"""`strongroom quarantine`: keep an artifact's bytes from everybody, until it is released."""

from argparse import ArgumentParser, Namespace
from typing import Final

from client.commands.reasons import add_artifact, do_to
from client.console import Console
from client.exits import ExitCode

NAME: Final = "quarantine"
HELP: Final = "hand an artifact's bytes to nobody until it is released"


def add(parser: ArgumentParser) -> None:
    """Which, and why."""
    add_artifact(parser)


def run(args: Namespace, console: Console) -> ExitCode:
    """Put it into quarantine."""
    do_to(args, "quarantine", console)
    console.say(f"artifact {args.artifact} is in quarantine: nobody gets its bytes")
    return ExitCode.DONE
