"""What is known of the job behind a file: as a signed statement says it, or as it was witnessed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from provenance.domain.build_facts import Hosting, Witnessed
from provenance.domain.platforms import FORMS

_HOSTING: Final = {
    Hosting.HOSTED: "hosted by the platform",
    Hosting.SELF_HOSTED: "self-hosted",
    Hosting.UNKNOWN: "hosting unknown",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is known; `url` leads to it, and is empty where nothing does."""

    name: str
    value: str
    url: str = ""


Facts = tuple[Fact, ...]


def signed_source(provenance: Mapping[str, Any]) -> Facts:
    """The source in the words of the statement that the verdict rests on."""
    if "repository" not in provenance:
        return (Fact("Subject", provenance["subject"]),)
    return (
        _linked("Repository", provenance["repository"]),
        Fact("Commit", provenance["commit"]),
        Fact("Ref", provenance["ref"]),
    )


def signed_run(provenance: Mapping[str, Any]) -> Facts:
    """The run in the words of the same statement."""
    known: Facts = (
        Fact("Issuer", provenance["issuer"]),
        _linked("Builder", provenance["builder"]),
    )
    if "invocation" not in provenance:
        return known
    return (
        _linked("Run", provenance["invocation"]),
        Fact("Workflow", provenance["workflow"]),
        Fact("Trigger", provenance["event"]),
        Fact(
            "Runner", "hosted by the platform" if provenance["hosted"] else "self-hosted or unknown"
        ),
        *known,
    )


def witnessed_source(facts: Witnessed) -> Facts:
    """The source as the job's token named it; nothing of it needs to be signed yet."""
    if not facts.repository:
        return (Fact("Subject", facts.subject),)
    return (
        _linked("Repository", facts.repository_url),
        Fact("Commit", facts.commit),
        Fact("Ref", facts.ref),
    )


def witnessed_run(facts: Witnessed) -> Facts:
    """The run as the job's token named it."""
    issuer = Fact("Issuer", facts.issuer)
    if not facts.repository:
        return (issuer,)
    return (
        _linked("Run", FORMS[facts.platform].invocation(facts)),
        Fact("Workflow", facts.workflow_path),
        Fact("Trigger", facts.event),
        Fact("Runner", _HOSTING[facts.hosting]),
        issuer,
    )


def _linked(name: str, value: str) -> Fact:
    """A link only where a browser is to follow one: what a token says could be any scheme."""
    return Fact(name, value, value if value.startswith(("https://", "http://")) else "")
