"""Projects as requests name them: in an address, or as `organization/project` in a body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from artifacts.queries import visible_project

if TYPE_CHECKING:
    from artifacts.models import Project
    from kernel.actor import Actor


def project_named(name: str, actor: Actor) -> Project:
    """The project of this full name, if it exists for this actor.

    Raises:
        ProjectNotFound: it does not; absent and foreign private projects look the same.
    """
    organization, _, project = name.partition("/")
    return visible_project(actor=actor, organization=organization, project=project)
