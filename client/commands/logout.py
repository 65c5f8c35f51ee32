"""`strongroom logout`: forget the token of a store on this machine."""

from argparse import ArgumentParser, Namespace
from typing import Final

from client.console import Console
from client.exits import ExitCode
from client.places import store_folder
from client.settings import TOKEN_FILE, add_options, settings_of

NAME: Final = "logout"
HELP: Final = "forget the token that login kept"


def add(parser: ArgumentParser) -> None:
    """Which store."""
    add_options(parser)


def run(args: Namespace, console: Console) -> ExitCode:
    """Remove it. The store still accepts it: there it is revoked, by whoever administers."""
    origin = settings_of(args, args.environ).required_origin()
    kept = store_folder(args.environ, origin) / TOKEN_FILE
    was_there = kept.exists()
    kept.unlink(missing_ok=True)
    said = "the token is forgotten here; the store still accepts it until it is revoked"
    console.say(said if was_there else f"no token was kept for {origin.url}")
    console.result({"store": origin.url, "was_kept": was_there})
    return ExitCode.DONE
