"""`strongroom usage`: what a project or an organization has, and may have."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any, Final

from client.answers import member, objects
from client.console import Console, size
from client.exits import ExitCode
from client.settings import add_options, settings_of

NAME: Final = "usage"
HELP: Final = "how much a project or an organization has stored, and how much it may"


def add(parser: ArgumentParser) -> None:
    """Whose."""
    parser.add_argument(
        "--organization", metavar="ORG", help="of all its projects together, and of each"
    )
    add_options(parser)


def run(args: Namespace, console: Console) -> ExitCode:
    """Ask."""
    settings = settings_of(args, args.environ)
    place = (
        ("organizations", args.organization)
        if args.organization
        else ("projects", *settings.required_project())
    )
    store = settings.store(console)
    found = store.get(store.address("api", "v1", *place, "usage")).document
    _show(found, console)
    console.result(found)
    return ExitCode.DONE


def _show(found: Mapping[str, Any], console: Console) -> None:
    console.say(f"{member(found, 'name', str)}: {_use(member(found, 'use', dict))}")
    if arriving := member(found, "arriving_bytes", int):
        console.say(f"  arriving    {size(arriving)}")
    quota = found.get("quota")
    for kind in ("bytes", "files"):
        limits = quota.get(kind) if isinstance(quota, dict) else None
        told = [
            f"{name} at {size(limit) if kind == 'bytes' else limit}"
            for name, limit in (limits.items() if isinstance(limits, dict) else ())
            if isinstance(limit, int)
        ]
        if told:
            console.say(f"  {kind:11} {', '.join(told)}")
    console.say(f"  quota       {found.get('standing') if quota else 'none'}")
    if found.get("refused_from"):
        console.say(f"  refused     from {found['refused_from']} on")
    for one in objects(found.get("projects")):
        console.say(f"  {member(one, 'project', str)}: {_use(one)}")


def _use(use: Mapping[str, Any]) -> str:
    return (
        f"{member(use, 'files', int)} files, {size(member(use, 'logical_bytes', int))},"
        f" {size(member(use, 'physical_bytes', int))} of them distinct"
    )
