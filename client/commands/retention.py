"""`strongroom retention`: see what would go, let it go, and ask what that freed, or why it goes."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from client.answers import identity, member, objects
from client.commands.waiting import add_wait
from client.console import Console, size
from client.errors import WrongUsage
from client.exits import ExitCode
from client.http import Store
from client.lookup import project_artifacts
from client.runs import RUNNING, far_of_plan, wait_until_ended
from client.settings import Settings, add_options, settings_of
from client.verification.errors import NothingOffered

NAME: Final = "retention"
HELP: Final = "plan what expires, apply a plan, show what it freed, or explain an expiry"


def add(parser: ArgumentParser) -> None:
    """What to do, and with what."""
    parser.add_argument(
        "action",
        choices=("plan", "apply", "show", "explain"),
        help="write down what would go now; let a plan go; show what is deleted by a plan, and "
        "confirmed as gone by the store; say when and why an artifact expires",
    )
    parser.add_argument(
        "what",
        metavar="PLAN|PATH",
        nargs="?",
        help="the id of a plan to apply or show; the path or id of an artifact to explain",
    )
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--organization", metavar="ORG", help="plan for all its projects")
    whose.add_argument("--instance", action="store_true", help="plan for the whole store")
    group = parser.add_argument_group("a run")
    add_wait(group, until="it has ended")
    group.add_argument("--reason", metavar="TEXT", help="why; kept in the store's audit trail")
    add_options(parser)


def run(args: Namespace, console: Console) -> ExitCode:
    """Do it."""
    if (args.action == "plan") is (args.what is not None):
        expected = {"plan": "no argument", "explain": "PATH"}.get(args.action, "PLAN")
        raise WrongUsage(command=f"retention {args.action}", expected=expected, found=args.what)
    settings = settings_of(args, args.environ)
    store = settings.store(console)
    match args.action:
        case "plan":
            return _plan(store, _place(args, settings), console)
        case "apply":
            return _apply(store, args, console)
        case "show":
            return _show(store, _plan_id(args.what), console)
        case _:
            return _explain(store, settings, args.what, console)


def _place(args: Namespace, settings: Settings) -> tuple[str, ...]:
    """Whose plan: the store's, an organization's, or the project's."""
    if args.instance:
        return ()
    if args.organization:
        return ("organizations", args.organization)
    return ("projects", *settings.required_project())


def _plan(store: Store, place: tuple[str, ...], console: Console) -> ExitCode:
    plan = store.post(store.address("api", "v1", *place, "retention-plans"), {}).document
    console.say(
        f"{member(plan, 'of', str)}: {member(plan, 'artifacts', int)} of"
        f" {member(plan, 'looked_at', int)} artifacts go, {_bytes(plan)}"
    )
    for rule in objects(plan.get("rules")):
        name = f"{rule.get('name')} of {rule.get('level')}" if rule.get("name") else "no rule"
        console.say(
            f"  {rule.get('outcome')!s:6} {name}: {member(rule, 'artifacts', int)} artifacts,"
            f" {size(member(rule, 'logical_bytes', int))}"
        )
    console.say(f"nothing has gone; to let it go: strongroom retention apply {identity(plan)}")
    console.result(plan)
    return ExitCode.DONE


def _apply(store: Store, args: Namespace, console: Console) -> ExitCode:
    address = store.address("api", "v1", "retention-plans", _plan_id(args.what))
    applied = store.post(f"{address}/apply", {}, reason=args.reason or "").document
    if args.wait is not None:
        applied = wait_until_ended(
            store,
            address,
            far_of=far_of_plan,
            seconds=args.wait,
            on_progress=console.progress,
        )
    far, ended = far_of_plan(applied), member(applied, "run", dict)
    far.require_whole()
    state = far.state
    console.say(
        f"{state}: {member(ended, 'removed_artifacts', int)} of"
        f" {member(applied, 'artifacts', int)} artifacts are gone,"
        f" {size(member(ended, 'removed_bytes', int))};"
        f" {member(ended, 'spared_artifacts', int)} were spared"
    )
    if state == RUNNING:
        console.say("the store goes on; the same command tells how far it is")
    else:
        console.say(f"what that frees, and when: strongroom retention show {identity(applied)}")
    console.result(applied)
    return ExitCode.DONE


def _show(store: Store, plan: str, console: Console) -> ExitCode:
    freed = store.get(store.address("api", "v1", "retention-plans", plan, "freed")).document
    planned, deleted, confirmed = (
        member(freed, step, dict) for step in ("planned", "deleted", "confirmed")
    )
    console.say(f"planned: {member(planned, 'artifacts', int)} artifacts, {_bytes(planned)}")
    console.say(
        f"deleted: {member(deleted, 'artifacts', int)} artifacts,"
        f" {size(member(deleted, 'logical_bytes', int))}"
    )
    console.say(
        f"confirmed: {member(confirmed, 'artifacts', int)} artifacts,"
        f" {size(member(confirmed, 'physical_bytes', int))} that the store has no more"
    )
    for one in objects(freed.get("waiting")):
        until = f", until {one['until']}" if one.get("until") else ""
        console.say(
            f"  {one.get('where')}: {member(one, 'artifacts', int)} artifacts,"
            f" {size(member(one, 'physical_bytes', int))}{until}"
        )
    console.result(freed)
    return ExitCode.DONE


def _explain(store: Store, settings: Settings, what: str, console: Console) -> ExitCode:
    found = _artifacts(store, settings, what)
    for one in found:
        expiry = member(one, "expiry", dict)
        when, rule, kept_by = (expiry.get(name) for name in ("expires_at", "rule", "kept_by"))
        console.say(f"{member(one, 'path', str)}, stored at {member(one, 'stored_at', str)}")
        if when:
            console.say(f"  expires at {when}")
        else:
            console.say("  does not expire")
        if isinstance(rule, dict):
            console.say(f"  ended by {_rule(rule)}")
        if isinstance(kept_by, dict):
            console.say(f"  kept {'until then ' if when else ''}by {_rule(kept_by)}")
    console.result({"artifacts": found})
    return ExitCode.DONE


def _artifacts(store: Store, settings: Settings, what: str) -> list[dict[str, Any]]:
    """Those of the path in the project, newest first; or the one of the id, also when expired."""
    try:
        artifact = UUID(what)
    except ValueError:
        project = "/".join(settings.required_project())
        found = project_artifacts(store, project, {"path": what})
        if not found:
            raise NothingOffered(
                project=project,
                path=what,
                reason="there is none, or all have expired: those are explained by their id",
            ) from None
        return found
    return [store.get(store.address("api", "v1", "artifacts", str(artifact))).document]


def _plan_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise WrongUsage(expected="the id of a plan", found=text) from None


def _rule(rule: Mapping[str, Any]) -> str:
    return (
        f"rule {rule.get('name')} of {rule.get('level')} {rule.get('of')},"
        f" version {rule.get('version')}"
    )


def _bytes(plan: Mapping[str, Any]) -> str:
    logical, physical = (
        size(member(plan, f"{kind}_bytes", int)) for kind in ("logical", "physical")
    )
    return f"{logical}, {physical} of which nobody else has"
