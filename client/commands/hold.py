"""`strongroom hold`: legal holds of a project: placed by one, lifted by more than one."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from client.answers import member, objects
from client.commands.reasons import add_reason, owned_store, reason_of
from client.console import Console
from client.errors import WrongUsage
from client.exits import ExitCode
from client.http import Store
from client.settings import Settings, add_options, settings_of

NAME: Final = "hold"
HELP: Final = "place, lift or list the legal holds of a project"
STATES: Final = ("active", "lifted", "ended")


def add(parser: ArgumentParser) -> None:
    """What to do, and to which hold."""
    parser.add_argument("act", choices=sorted(_ACTS), help="what to do")
    parser.add_argument("hold", nargs="?", type=UUID, metavar="ID", help="the hold to lift")
    add_options(parser)
    group = parser.add_argument_group("what is held; none of these is the whole project")
    group.add_argument("--artifact", type=UUID, metavar="ID", help="one artifact")
    group.add_argument("--build", type=UUID, metavar="ID", help="all files of one build")
    group.add_argument("--paths", metavar="PATTERN", help="paths: * within a folder, ** anything")
    group.add_argument("--until", metavar="TIME", help="its end, as 2027-01-31T00:00:00Z")
    add_reason(group)
    parser.add_argument("--state", choices=STATES, help="list only these")


def run(args: Namespace, console: Console) -> ExitCode:
    """Do it."""
    settings = settings_of(args, args.environ)
    store = owned_store(settings, console)
    found = _ACTS[args.act](args, settings, store, console)
    console.result({"store": store.origin.url, **found})
    return ExitCode.DONE


def _place(
    args: Namespace, settings: Settings, store: Store, console: Console
) -> Mapping[str, Any]:
    named = {name: getattr(args, name) for name in ("artifact", "build", "paths")}
    body = {name: str(value) for name, value in named.items() if value is not None}
    if args.until is not None:
        body["ends_at"] = args.until
    body["reason"] = reason_of(args)
    placed = store.post(_list_of(settings, store), body).document
    console.say(f"hold {placed.get('id')} stands")
    return placed


def _lift(
    args: Namespace, _settings: Settings, store: Store, console: Console
) -> Mapping[str, Any]:
    if args.hold is None:
        raise WrongUsage(expected="the hold's id, as `strongroom hold list` shows it")
    address = store.address("api", "v1", "holds", str(args.hold), "lift")
    found = store.post(address, {"reason": reason_of(args)}).document
    lifting = member(found, "lifting", dict)
    if member(found, "state", str) == "lifted":
        console.say(f"hold {args.hold} is lifted")
    else:
        said = sum(1 for one in objects(lifting.get("asked")) if one.get("counts"))
        needed = lifting.get("persons_needed")
        console.say(f"hold {args.hold} stands: {said} of {needed} people want it lifted")
    return found


def _list(args: Namespace, settings: Settings, store: Store, console: Console) -> Mapping[str, Any]:
    asked = f"?state={args.state}" if args.state else ""
    found = store.get(f"{_list_of(settings, store)}{asked}").document
    for one in objects(found.get("holds")):
        console.say(f"{one.get('id')}  {one.get('state'):7} {_covers(one)}: {one.get('reason')}")
    return found


def _covers(hold: Mapping[str, Any]) -> str:
    covers = member(hold, "covers", dict)
    named = [f"{name} {value}" for name, value in covers.items() if value is not None]
    return named[0] if named else f"project {hold.get('project')}"


def _list_of(settings: Settings, store: Store) -> str:
    return store.address("api", "v1", "projects", *settings.required_project(), "holds")


_ACTS: Final[Mapping[str, Callable[[Namespace, Settings, Store, Console], Mapping[str, Any]]]] = {
    "place": _place,
    "lift": _lift,
    "list": _list,
}
