"""Declarations that bytes are in use outside, in the shapes of GitHub's artifact metadata API.

A storage record says that a registry has a copy, a deployment record that something runs it, a
release that it was published. Each protects while its status says that it is so.
(docs.github.com, REST API, "Artifact metadata", version 2022-11-28.)
"""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final


class Kind(StrEnum):
    """What is declared. A restoring declares by itself that somebody wants the bytes back."""

    STORAGE = "storage"
    DEPLOYMENT = "deployment"
    RELEASE = "release"
    RESTORING = "restoring"


# Which statuses a declaration can have, and which of them protect; the first is what is meant
# where none is said.
STATUSES: Final[Mapping[Kind, Mapping[str, bool]]] = {
    Kind.STORAGE: {"active": True, "eol": True, "deleted": False},
    Kind.DEPLOYMENT: {"deployed": True, "decommissioned": False},
    Kind.RELEASE: {"published": True, "withdrawn": False},
    Kind.RESTORING: {"restored": True},
}
# What makes two declarations the same one, said again. A deployment is one place: when something
# else is deployed there, what was there before is not any more.
_IDENTIFYING: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.STORAGE: ("digest", "registry_url", "repository", "name"),
    Kind.DEPLOYMENT: (
        "logical_environment",
        "physical_environment",
        "cluster",
        "deployment_name",
    ),
    Kind.RELEASE: ("digest", "name", "version"),
    Kind.RESTORING: ("artifact",),
}


def protects(kind: Kind, document: Mapping[str, Any]) -> bool:
    """Whether the bytes are in use as long as this is what was said last."""
    return STATUSES[kind][str(document["status"])]


def identity(kind: Kind, document: Mapping[str, Any]) -> str:
    """The digest of what makes it the same declaration; each part with its length in front."""
    parts = [str(document.get(name) or "") for name in _IDENTIFYING[kind]]
    return sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()
