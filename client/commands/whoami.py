"""`strongroom whoami`: who the store takes this command for, before anything is sent."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any, Final

from client.answers import objects, texts
from client.asking import job_credentials
from client.ci.exchange import JobCredentials
from client.console import Console
from client.errors import SettingsMissing, StoreRefused
from client.exits import ExitCode
from client.http import Store
from client.settings import add_options, settings_of

NAME: Final = "whoami"
HELP: Final = "who you are to the store; in a CI job, what a push would claim"


def add(parser: ArgumentParser) -> None:
    """Which store."""
    add_options(parser)


def run(args: Namespace, console: Console) -> ExitCode:
    """Ask."""
    settings = settings_of(args, args.environ)
    job = job_credentials(settings, console)
    if job is not None:
        return _tell_job(settings.store(console, job), job, settings.project, console)
    if settings.token is None:
        raise SettingsMissing(
            missing="a token", give="STRONGROOM_TOKEN, --token-file, or: strongroom login"
        )
    return _tell_actor(settings.store(console), console)


def _tell_job(store: Store, job: JobCredentials, project: str | None, console: Console) -> ExitCode:
    """The pre-flight: the identity token is not used up by it."""
    named = {"project": project} if project else {}
    body = {"token": job.identity_token(), **named}
    address = store.address("_", "oidc", "preflight")
    try:
        found = store.post(address, body, as_nobody=True).document
    except StoreRefused as refused:
        if refused.code != "token-id-reused":
            raise
        console.note("the identity token was exchanged earlier in this job")
        return _tell_actor(store, console)
    _show_job(found, console)
    console.result({"store": store.origin.url, **found})
    return ExitCode.DONE


def _show_job(found: Mapping[str, Any], console: Console) -> None:
    identity, policy, public = (_object(found, name) for name in ("identity", "policy", "public"))
    for label, value in (
        ("project", found.get("project")),
        ("repository", identity.get("repository")),
        ("subject", identity.get("subject")),
        ("commit", identity.get("commit")),
        ("workflow", identity.get("workflow_path")),
        ("event", identity.get("event")),
        ("builder", found.get("builder_id")),
        ("level", found.get("level")),
        ("policy", policy.get("verdict")),
        ("", policy.get("reason")),
    ):
        if value:
            console.say(f"{label:11} {value}")
    for why in texts(found.get("why_not_higher")):
        console.say(f"{'':11} not higher: {why}")
    for why in texts(public.get("why")):
        console.say(f"{'public':11} {why}")


def _tell_actor(store: Store, console: Console) -> ExitCode:
    found = store.get(store.address("api", "v1", "whoami")).document
    console.say(f"{'actor':11} {found.get('actor')}")
    for grant in objects(found.get("grants")):
        where = f"project {grant['project']}" if grant.get("project") else "the whole instance"
        console.say(f"{'may':11} {grant.get('permission')}: {where}")
    console.result({"store": store.origin.url, **found})
    return ExitCode.DONE


def _object(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}
