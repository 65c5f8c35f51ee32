"""Actors with grants, as authentication would give them."""

from uuid import UUID

from artifacts.models import Project
from kernel.actor import Actor, Grant, Permission, Workload
from provenance.domain.build_facts import Witnessed


def administrator() -> Actor:
    """Who administers the instance."""
    return Actor("administrator", frozenset({Grant(Permission.ADMINISTER)}))


def uploader(project: Project) -> Actor:
    """A service with an API token of one project."""
    return _with(project.pk, Permission.UPLOAD, Permission.READ, name="uploader")


def reader(project: Project) -> Actor:
    """Somebody who may read one project."""
    return _with(project.pk, Permission.READ, name="reader")


def job(project: Project, facts: Witnessed) -> Actor:
    """A CI job with the upload token of one project."""
    workload = Workload(facts.job_key, facts.to_json())
    grants = frozenset({Grant(Permission.UPLOAD, project.pk), Grant(Permission.READ, project.pk)})
    return Actor("job", grants, workload)


def _with(project: UUID, *permissions: Permission, name: str) -> Actor:
    return Actor(name, frozenset(Grant(permission, project) for permission in permissions))


def owner(project: Project, person: int = 1) -> Actor:
    """A person who owns one project."""
    grants = frozenset({Grant(Permission.OWN, project.pk)})
    return Actor(f"owner {person}", grants, person=person)
