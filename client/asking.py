"""Who a command is to the store when it uploads, and to which project: decided once, in order.

A CI job is itself, or what its workflow says; never the person who once logged in on its runner.
"""

from dataclasses import dataclass

from client.ci.exchange import JobCredentials
from client.ci.platforms import Platform, missing, platform_of, source_of
from client.console import Console
from client.credentials import ApiToken
from client.errors import SettingsMissing
from client.http import Store
from client.settings import Settings


@dataclass(frozen=True, slots=True)
class Asking:
    """A store as somebody who may upload sees it, and the project to upload to."""

    store: Store
    project: tuple[str, str]


def asking(settings: Settings, console: Console) -> Asking:
    """A token that was given wins, then the job's identity, then the token of `login`.

    Raises:
        SettingsMissing: nothing says who, or to which project.
        JobTokenMissing: this is a CI job that cannot prove who it is.
    """
    job = job_credentials(settings, console)
    if job is not None:
        organization, _, project = job.project.partition("/")
        return Asking(settings.store(console, job), (organization, project))
    if settings.token is None:
        raise SettingsMissing(
            missing="a token",
            give="STRONGROOM_TOKEN, --token-file, or: strongroom login; CI jobs need none",
        )
    project_named = settings.required_project()
    return Asking(settings.store(console, ApiToken(settings.token)), project_named)


def job_credentials(settings: Settings, console: Console) -> JobCredentials | None:
    """The CI job's own credentials; None where a token was given, or this is no CI job.

    Raises:
        JobTokenMissing: this is a CI job that cannot prove who it is.
    """
    platform, source = platform_of(settings.environ), source_of(settings.environ)
    if settings.token is not None and not settings.is_kept:
        if source is not None:
            console.warn("a token was given, so the job's identity is not used: no provenance")
        return None
    if source is not None:
        nobody = settings.nobody(console)
        return JobCredentials(
            store=nobody,
            source=source,
            platform=platform or Platform.OTHER,
            project=settings.project,
        )
    if platform in (Platform.GITHUB, Platform.GITLAB):
        raise missing(
            platform,
            audience=settings.required_origin().url,
            reason="the job has no identity token, and no token of the store was given",
        )
    return None
