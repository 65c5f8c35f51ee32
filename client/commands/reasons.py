"""What the commands share that an administrator gives a reason to."""

from argparse import ArgumentParser, Namespace, _ArgumentGroup
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from client.console import Console
from client.credentials import ApiToken
from client.errors import SettingsMissing, WrongUsage
from client.http import Store
from client.settings import Settings, add_options, settings_of

WHY: Final = "why; kept with what was done, and shown to others"


def add_named(parser: ArgumentParser) -> None:
    """An artifact or a whole build, and the reason."""
    parser.add_argument("artifact", nargs="?", type=UUID, metavar="ID", help="the artifact's id")
    parser.add_argument("--build", type=UUID, metavar="ID", help="every file of this build instead")
    add_reason(parser)
    add_options(parser)


def add_artifact(parser: ArgumentParser) -> None:
    """One artifact, and the reason."""
    parser.add_argument("artifact", type=UUID, metavar="ID", help="the artifact's id")
    add_reason(parser)
    add_options(parser)
    parser.set_defaults(build=None)


def add_reason(parser: ArgumentParser | _ArgumentGroup) -> None:
    """The reason."""
    parser.add_argument("--reason", metavar="TEXT", help=WHY)


def do_to(args: Namespace, act: str, console: Console) -> Mapping[str, Any]:
    """Ask the store to do this to the artifact or the build; its answer, also as the result.

    Raises:
        WrongUsage: neither or both are named, or no reason is given.
    """
    if (args.artifact is None) == (args.build is None):
        raise WrongUsage(expected="an artifact's id, or --build ID")
    named = ("artifacts", args.artifact) if args.artifact is not None else ("builds", args.build)
    store = owned_store(settings_of(args, args.environ), console)
    address = store.address("api", "v1", named[0], str(named[1]), act)
    found = store.post(address, {"reason": reason_of(args)}).document
    console.result({"store": store.origin.url, **found})
    return found


def reason_of(args: Namespace) -> str:
    """The reason.

    Raises:
        WrongUsage: there is none.
    """
    if not (args.reason or "").strip():
        raise WrongUsage(option="--reason", expected=WHY)
    return str(args.reason)


def owned_store(settings: Settings, console: Console) -> Store:
    """The store as somebody with a token; a CI job decides nothing of this.

    Raises:
        SettingsMissing: no token was given.
    """
    if settings.token is None:
        raise SettingsMissing(
            missing="a token", give="STRONGROOM_TOKEN, --token-file, or: strongroom login"
        )
    return settings.store(console, ApiToken(settings.token))
