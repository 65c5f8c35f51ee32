"""Where a CI job gets its identity token from: one row a platform. Pure.

What a job lacks is said as its author would write it, because nobody else can add it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from client.errors import JobTokenMissing

GIVEN: Final = "STRONGROOM_ID_TOKEN"


class Platform(StrEnum):
    """A CI system that the client knows by its environment."""

    GITHUB = "github"
    GITLAB = "gitlab"
    OTHER = "other"


# What a job's environment says of itself: the first row that fits is where the job runs.
SIGNS: Final[Mapping[Platform, tuple[str, str]]] = {
    Platform.GITHUB: ("GITHUB_ACTIONS", "true"),
    Platform.GITLAB: ("GITLAB_CI", "true"),
    Platform.OTHER: ("CI", "true"),
}

# What a workflow has to say, so that its jobs get an identity token for the audience.
ADD: Final[Mapping[Platform, str]] = {
    Platform.GITHUB: "permissions: id-token: write",
    Platform.GITLAB: f"id_tokens: {GIVEN}: aud: {{audience}}",
    Platform.OTHER: f"an identity token for the audience {{audience}}, in {GIVEN}",
}


@dataclass(frozen=True, slots=True)
class AskGithub:
    """A job on GitHub: it gets a new identity token as often as it asks, as long as it runs."""

    url: str
    request_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A job that was given one identity token.

    `secret_seed` is something that only this job has, and each of its steps: GitLab's job token.
    """

    token: str = field(repr=False)
    secret_seed: str = field(default="", repr=False)


IdentitySource = AskGithub | GivenToken


def platform_of(environ: Mapping[str, str]) -> Platform | None:
    """Where this process runs; None when that is no CI job."""
    for platform, (name, value) in SIGNS.items():
        if environ.get(name) == value:
            return platform
    return None


def source_of(environ: Mapping[str, str]) -> IdentitySource | None:
    """Where the job's identity token comes from; None when it has none."""
    given = environ.get(GIVEN, "").strip()
    if given:
        return GivenToken(given, environ.get("CI_JOB_TOKEN", ""))
    url = environ.get("ACTIONS_ID_TOKEN_REQUEST_URL", "")
    request_token = environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "")
    return AskGithub(url, request_token) if url and request_token else None


def missing(platform: Platform, *, audience: str, reason: str) -> JobTokenMissing:
    """What to say to the author of a workflow whose job cannot prove who it is."""
    return JobTokenMissing(
        platform=platform, reason=reason, add=ADD[platform].format(audience=audience)
    )
