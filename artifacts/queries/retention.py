"""Which retention policies hold: of the instance, an organization, a project, and together."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from artifacts.domain.retention import Attached, Cited, Level, RetentionPolicy, Ruled
from artifacts.domain.retention_document import read_policy
from artifacts.models import Organization, Project, StoredRetentionPolicy
from artifacts.models.retention import INSTANCE
from artifacts.queries.protecting import protected_projects
from kernel.actor import Actor, Permission
from kernel.rows import Joined

# Asked for each download.
_NEWEST: Final = Joined(
    """
    SELECT DISTINCT ON (scope_id) {policy} FROM retention_policy AS policy
    WHERE scope_id = ANY(%(scopes)s::uuid[]) ORDER BY scope_id, version DESC
    """,
    policy=StoredRetentionPolicy,
)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose policy it is: `name` for people, `organization` for whoever reads its audit trail."""

    level: Level
    scope: UUID
    name: str
    organization: UUID | None = None

    @classmethod
    def instance(cls) -> "Holder":
        """The store itself."""
        return cls(Level.INSTANCE, INSTANCE, "this store")

    @classmethod
    def of_organization(cls, organization: Organization) -> "Holder":
        """An organization."""
        return cls(Level.ORGANIZATION, organization.pk, organization.slug, organization.pk)

    @classmethod
    def of_project(cls, project: Project) -> "Holder":
        """A project, with its organization."""
        return cls(Level.PROJECT, project.pk, str(project), project.organization_id)

    def require_owned(self, actor: Actor) -> None:
        """Refuse who may not decide here: owners do, of the instance its administrators.

        Raises:
            Unauthenticated, PermissionMissing: the actor may not.
        """
        match self.level:
            case Level.ORGANIZATION:
                actor.require_in(Permission.OWN, organization=self.scope)
            case Level.PROJECT:
                actor.require(Permission.OWN, project=self.scope)
            case _:
                actor.require(Permission.ADMINISTER, project=None)


@dataclass(frozen=True, slots=True)
class Held:
    """The policy that a holder has now; version 0 is none."""

    holder: Holder
    version: int = 0
    document: dict[str, Any] | None = None
    set_at: datetime | None = None
    set_by: str = ""

    @property
    def attached(self) -> Attached:
        """The same for the rules."""
        policy = read_policy(self.document) if self.document is not None else RetentionPolicy()
        return Attached(self.holder.level, self.version, policy, self.holder.scope)


def holders_above(project: Project) -> tuple[Holder, ...]:
    """Whose policies hold for the project, the highest first, itself among them."""
    return (
        Holder.instance(),
        Holder.of_organization(project.organization),
        Holder.of_project(project),
    )


def held_by(*holders: Holder) -> list[Held]:
    """The newest policy of each, in the same order."""
    rows = _NEWEST.all(scopes=[holder.scope for holder in holders])
    newest = [row.the(StoredRetentionPolicy) for row in rows]
    found = {one.scope_id: one for one in newest}
    return [_held(holder, found.get(holder.scope)) for holder in holders]


def versions_of(holder: Holder, *, limit: int) -> list[StoredRetentionPolicy]:
    """The newest versions of the holder's policy, the newest first."""
    found = StoredRetentionPolicy.objects.filter(scope_id=holder.scope)
    return list(found.order_by("-version")[:limit])


def policies_of(project: Project) -> list[Attached]:
    """Every policy that holds for the project's artifacts; nothing where nobody said anything."""
    return [one.attached for one in held_by(*holders_above(project)) if one.version]


def projects_below(holder: Holder) -> QuerySet[Project]:
    """The projects that the holder's policy speaks of, with their organizations."""
    found = Project.objects.select_related("organization").order_by("id")
    match holder.level:
        case Level.ORGANIZATION:
            return found.filter(organization=holder.scope)
        case Level.PROJECT:
            return found.filter(pk=holder.scope)
        case _:
            return found


def policies_in_reach(holder: Holder) -> QuerySet[StoredRetentionPolicy]:
    """Every version of every policy that says something of what is below the holder."""
    found = StoredRetentionPolicy.objects.all()
    if holder.level is Level.INSTANCE:
        return found
    scopes = Q(scope_id__in=[INSTANCE, holder.scope])
    if holder.level is Level.PROJECT:
        return found.filter(scopes | Q(scope_id=holder.organization))
    return found.filter(scopes | Q(scope_id__in=projects_below(holder).values("pk")))


@dataclass(frozen=True, slots=True)
class Alike:
    """Projects for which the same policies hold, and in which the same may be protected."""

    attached: list[Attached]
    protections: tuple[Ruled, ...]
    projects: list[Project]


def policies_below(holder: Holder) -> list[Alike]:
    """The projects below the holder, those together of which the same rules speak."""
    newest = policies_in_reach(holder).order_by("scope_id", "-version").distinct("scope_id")
    attached = {
        one.scope_id: Attached(
            Level(one.level), one.version, read_policy(one.document), one.scope_id
        )
        for one in newest
    }
    protected = protected_projects()
    groups: dict[tuple[tuple[UUID, ...], tuple[Ruled, ...]], list[Project]] = {}
    for project in projects_below(holder):
        scopes = (INSTANCE, project.organization_id, project.pk)
        held = tuple(scope for scope in scopes if scope in attached)
        groups.setdefault((held, protected.of(project.pk)), []).append(project)
    return [
        Alike([attached[scope] for scope in held], protections, projects)
        for (held, protections), projects in groups.items()
    ]


def protected_of(groups: Iterable[Alike]) -> list[UUID]:
    """The projects among them in which anything may be protected."""
    return [project.pk for alike in groups if alike.protections for project in alike.projects]


def of_projects_owned_by(actor: Actor) -> Q:
    """The condition for what is in projects that the actor owns."""
    if actor.may(Permission.ADMINISTER, project=None):
        return Q()
    projects = {one.project for one in actor.grants if one.permission is Permission.OWN}
    return Q(project__in=projects - {None})


def holder_of(cited: Cited, project: Project) -> str:
    """Whose rule it is, as people call it; a job's own wish is its job's."""
    named = {holder.level: holder.name for holder in holders_above(project)}
    return named.get(cited.level, "its job")


def names_of_scopes(scopes: Iterable[UUID]) -> dict[UUID, str]:
    """What organizations and projects of these ids are called now; the store itself among them."""
    wanted = set(scopes)
    projects = Project.objects.filter(pk__in=wanted).select_related("organization")
    organizations = Organization.objects.filter(pk__in=wanted)
    return {
        INSTANCE: Holder.instance().name,
        **{one.pk: one.slug for one in organizations},
        **{one.pk: str(one) for one in projects},
    }


def _held(holder: Holder, stored: StoredRetentionPolicy | None) -> Held:
    if stored is None:
        return Held(holder)
    return Held(holder, stored.version, stored.document, stored.set_at, stored.set_by)
