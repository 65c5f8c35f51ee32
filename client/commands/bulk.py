"""`strongroom bulk`: one act on many artifacts: asked in numbers, started by name, cancelled."""

from argparse import ArgumentParser, BooleanOptionalAction, Namespace, _ArgumentGroup
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from client.answers import identity, member
from client.commands.reasons import add_reason, owned_store, reason_of
from client.commands.waiting import add_wait
from client.console import Console, size
from client.errors import WrongUsage
from client.exits import ExitCode
from client.http import Store
from client.person import ask
from client.runs import RUNNING, far_of_bulk_action, wait_until_ended
from client.settings import Settings, add_options, settings_of

NAME: Final = "bulk"
HELP: Final = "do one act to many artifacts of a project: ask, show, start or cancel it"
ACTS: Final = ("remove", "restore", "yank", "unyank", "quarantine", "release")
# The filters as the store calls them, and what is to be written; of these each any number of times.
LISTS: Final[Mapping[str, tuple[str, str]]] = {
    "paths": ("PATTERN", "paths: * within a folder, ** anything"),
    "refs": ("PATTERN", "branches and tags: refs/heads/*"),
    "outcomes": ("WORD", "of builds that are published, or refused"),
    "predicates": ("TYPE", "of which this is attested"),
}
NUMBERS: Final[Mapping[str, str]] = {
    "size_from_bytes": "of at least so many bytes",
    "size_to_bytes": "of at most so many bytes",
}
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "stored_before": ("TIME", "stored before, as 2027-01-31T00:00:00Z"),
    "stored_after": ("TIME", "stored after"),
    "idle_since": ("TIME", "neither stored nor downloaded since"),
    "plan": ("ID", "to restore: what this retention plan took away"),
}
FLAGS: Final[Mapping[str, str]] = {
    "is_protected": "of protected branches and tags, or of others",
    "is_yanked": "that are yanked, or that are not",
}
FILTERS: Final = (*LISTS, *NUMBERS, *WORDS, *FLAGS)


def add(parser: ArgumentParser) -> None:
    """What to do, and with what."""
    parser.add_argument(
        "action",
        choices=("ask", "show", "start", "cancel"),
        help="see what an act would be done to, in numbers; see how far it is; let it be done as "
        "it was shown; end it",
    )
    parser.add_argument(
        "what",
        metavar="ACT|ID",
        help=f"to ask: {', '.join(ACTS)}; else the id of what was asked",
    )
    add_options(parser)
    _add_filters(parser.add_argument_group("ask of these alone; none of these is every file"))
    group = parser.add_argument_group("start")
    add_reason(group)
    group.add_argument("--confirm", metavar="ORG/PROJECT", help="its project's name, once more")
    group.add_argument(
        "--artifacts", type=int, metavar="N", help="how many it is done to, if not as it was asked"
    )
    add_wait(group, until="it has ended")


def run(args: Namespace, console: Console) -> ExitCode:
    """Do it."""
    settings = settings_of(args, args.environ)
    store = owned_store(settings, console)
    if args.action == "ask":
        found = _ask(args, settings, store)
    else:
        address = store.address("api", "v1", "bulk-actions", _identity(args.what))
        match args.action:
            case "show":
                found = store.get(address).document
            case "start":
                found = _start(args, store, address, console)
            case _:
                found = store.post(f"{address}/cancel", {}).document
    _show(found, console)
    console.result({"store": store.origin.url, **found})
    return ExitCode.DONE


def _add_filters(group: _ArgumentGroup) -> None:
    for name, (metavar, text) in LISTS.items():
        group.add_argument(_option(name), action="append", metavar=metavar, help=text)
    for name, text in NUMBERS.items():
        group.add_argument(_option(name), type=int, metavar="N", help=text)
    for name, (metavar, text) in WORDS.items():
        group.add_argument(_option(name), metavar=metavar, help=text)
    for name, text in FLAGS.items():
        group.add_argument(_option(name), action=BooleanOptionalAction, help=text)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _ask(args: Namespace, settings: Settings, store: Store) -> dict[str, Any]:
    if args.what not in ACTS:
        raise WrongUsage(command="bulk ask", expected=list(ACTS), found=args.what)
    address = store.address("api", "v1", "projects", *settings.required_project(), "bulk-actions")
    given = {name: getattr(args, name) for name in FILTERS}
    selection = {name: value for name, value in given.items() if value is not None}
    return store.post(address, {"act": args.what, "selection": selection}).document


def _start(args: Namespace, store: Store, address: str, console: Console) -> dict[str, Any]:
    """Let it be done; where it is already, see how far it is."""
    asked = store.get(address).document
    if asked.get("run") is None:
        reason = reason_of(args)
        if args.confirm is None:
            _show(asked, console)
        confirmed = {
            "project": args.confirm or _name_written(member(asked, "project", str)),
            "artifacts": args.artifacts
            if args.artifacts is not None
            else member(asked, "artifacts", int),
            "reason": reason,
        }
        asked = store.post(f"{address}/start", confirmed).document
    if args.wait is None:
        return asked
    return wait_until_ended(
        store,
        address,
        far_of=far_of_bulk_action,
        seconds=args.wait,
        on_progress=console.progress,
    )


def _name_written(project: str) -> str:
    written = ask(f"Write {project} to go on:")
    if not written:
        raise WrongUsage(option="--confirm", expected="the project's name, once more")
    return written


def _show(action: Mapping[str, Any], console: Console) -> None:
    """In numbers, with why files stay as they are; and what to do next."""
    run = action.get("run")
    act, project = member(action, "act", str), member(action, "project", str)
    if not isinstance(run, dict):
        console.say(
            f"{act} in {project}: would be done to {member(action, 'artifacts', int)} artifacts,"
            f" {size(member(action, 'logical_bytes', int))}"
        )
        _show_left(member(action, "expected", dict), console)
        if action.get("list_forgotten_at"):
            console.say(
                f"nobody started it: its list was forgotten {action['list_forgotten_at']};"
                " ask once more"
            )
        else:
            console.say(
                "nothing has been done; to do it:"
                f" strongroom bulk start {identity(action)} --reason TEXT"
            )
        return
    far, outcomes = far_of_bulk_action(action), member(run, "outcomes", dict)
    console.say(
        f"{act} in {project}, {far.state}: done to {outcomes.get('done', 0)} artifacts,"
        f" {size(member(run, 'done_bytes', int))}; {far.looked_at} of {far.total} looked at"
    )
    _show_left(outcomes, console)
    if far.state == RUNNING:
        console.say(f"the store goes on: strongroom bulk show {identity(action)}")


def _show_left(outcomes: Mapping[str, Any], console: Console) -> None:
    for outcome, number in outcomes.items():
        if outcome != "done":
            console.say(f"  left as they are, {outcome}: {number}")


def _identity(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise WrongUsage(expected="the id of what was asked", found=text) from None
