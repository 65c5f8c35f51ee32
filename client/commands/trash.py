"""`strongroom trash`: what was removed from a project, and until when it can be restored."""

from argparse import ArgumentParser, Namespace
from typing import Final

from client.answers import member, objects
from client.commands.reasons import owned_store
from client.console import Console, size
from client.exits import ExitCode
from client.listing import listed
from client.settings import add_options, settings_of

NAME: Final = "trash"
HELP: Final = "list what was removed from a project and can be restored"


def add(parser: ArgumentParser) -> None:
    """Whose."""
    add_options(parser)


def run(args: Namespace, console: Console) -> ExitCode:
    """List it, what was removed last first."""
    settings = settings_of(args, args.environ)
    store = owned_store(settings, console)
    address = store.address("api", "v1", "projects", *settings.required_project(), "trash")
    found = objects(listed(store, address, "trash"))
    for one in found:
        cause = f"rule {one['rule']}" if one.get("rule") else one.get("reason")
        console.say(
            f"{one.get('artifact')}  {one.get('path')}, {size(member(one, 'size_bytes', int))},"
            f" until {one.get('restorable_until')}"
        )
        console.say(f"  removed {one.get('removed_at')} by {one.get('removed_by')}: {cause}")
    if found:
        console.say("to have one back: strongroom restore ID --reason TEXT")
    console.result({"store": store.origin.url, "trash": found})
    return ExitCode.DONE
