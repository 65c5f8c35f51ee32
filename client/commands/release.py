"""`strongroom release`: end an artifact's quarantine."""

from argparse import ArgumentParser, Namespace
from typing import Final

from client.commands.reasons import add_artifact, do_to
from client.console import Console
from client.exits import ExitCode

NAME: Final = "release"
HELP: Final = "end the quarantine of an artifact"


def add(parser: ArgumentParser) -> None:
    """Which, and why."""
    add_artifact(parser)


def run(args: Namespace, console: Console) -> ExitCode:
    """Release it."""
    do_to(args, "release", console)
    console.say(f"artifact {args.artifact} is out of quarantine")
    return ExitCode.DONE
