"""`strongroom login`: keep a token for a store on this machine, readable by its owner alone."""

import getpass
import json
import sys
from argparse import ArgumentParser, Namespace
from typing import Final

from client.console import Console
from client.credentials import ApiToken
from client.errors import SettingsMissing, StoreRefused
from client.exits import ExitCode
from client.http import Store
from client.origin import Origin
from client.places import config_folder, store_folder, write_private
from client.settings import (
    CHOSEN_FILE,
    TOKEN_FILE,
    Settings,
    read_token,
    token_from_file,
)
from client.trust import Consent, pin

NAME: Final = "login"
HELP: Final = "keep a token for a store on this machine"


def add(parser: ArgumentParser) -> None:
    """The store, and where its token comes from if nobody types it."""
    parser.add_argument("url", metavar="URL", help="the store's address")
    parser.add_argument("--token-file", metavar="FILE", help="read the token from it, or from -")
    parser.add_argument(
        "--trust-root-sha256",
        metavar="HEX",
        default="",
        help="the digest of the store's trust root, as you know it from elsewhere",
    )


def run(args: Namespace, console: Console) -> ExitCode:
    """Check the token, then keep it; the store becomes the one that is meant by default.

    Then the store's trust root is pinned, if a person agrees: what is pulled is verified with it.
    """
    origin = Origin.parse(args.url)
    token = _token(args.token_file, origin)
    settings = Settings(origin, None, token, environ=args.environ)
    store = settings.store(console, ApiToken(token))
    actor = str(store.get(store.address("api", "v1", "whoami")).document.get("actor"))
    write_private(store_folder(args.environ, origin) / TOKEN_FILE, f"{token}\n")
    chosen = json.dumps({"store": origin.url})
    write_private(config_folder(args.environ) / CHOSEN_FILE, f"{chosen}\n")
    console.say(f"logged in to {origin.url} as {actor}")
    is_pinned = _pin(store, args, console)
    console.result({"store": origin.url, "actor": actor, "is_pinned": is_pinned})
    return ExitCode.DONE


def _pin(store: Store, args: Namespace, console: Console) -> bool:
    consent = Consent(args.trust_root_sha256)
    try:
        return pin(store, console, environ=args.environ, consent=consent)
    except StoreRefused as refused:
        # One can upload to a store that has not signed anything yet.
        console.note(f"no trust root could be pinned: {refused.code}")
        return False


def _token(file: str | None, origin: Origin) -> str:
    if file is not None:
        return token_from_file(file)
    if not sys.stdin.isatty():
        raise SettingsMissing(missing="the token", give="--token-file FILE, or - for stdin")
    typed = getpass.getpass(f"Token for {origin.url} (it is not shown): ")
    return read_token(typed, source="what was typed")
