"""`strongroom login`: keep a token for a store on this machine, readable by its owner alone."""

import getpass
import sys
from argparse import ArgumentParser, Namespace
from typing import Final

from client.console import Console
from client.credentials import ApiToken
from client.errors import SettingsMissing
from client.exits import ExitCode
from client.origin import Origin
from client.places import config_folder, store_folder, write_json, write_private
from client.settings import (
    CHOSEN_FILE,
    TOKEN_FILE,
    Settings,
    read_token,
    token_from_file,
)

NAME: Final = "login"
HELP: Final = "keep a token for a store on this machine"


def add(parser: ArgumentParser) -> None:
    """The store, and where its token comes from if nobody types it."""
    parser.add_argument("url", metavar="URL", help="the store's address")
    parser.add_argument("--token-file", metavar="FILE", help="read the token from it, or from - ")


def run(args: Namespace, console: Console) -> ExitCode:
    """Check the token, then keep it; the store becomes the one that is meant by default."""
    origin = Origin.parse(args.url)
    token = _token(args.token_file, origin)
    settings = Settings(origin, None, token, environ=args.environ)
    store = settings.store(console, ApiToken(token))
    actor = str(store.get(store.address("api", "v1", "whoami")).document.get("actor"))
    write_private(store_folder(args.environ, origin) / TOKEN_FILE, f"{token}\n")
    write_json(config_folder(args.environ) / CHOSEN_FILE, {"store": origin.url})
    console.say(f"logged in to {origin.url} as {actor}")
    console.result({"store": origin.url, "actor": actor})
    return ExitCode.DONE


def _token(file: str | None, origin: Origin) -> str:
    if file is not None:
        return token_from_file(file)
    if not sys.stdin.isatty():
        raise SettingsMissing(missing="the token", give="--token-file FILE, or - for stdin")
    typed = getpass.getpass(f"Token for {origin.url} (it is not shown): ")
    return read_token(typed, source="what was typed")
