"""Who asks: an authenticated actor with grants. Authentication happens above, once, at the edge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NoReturn
from uuid import UUID

from kernel.errors import Kind, Refusal


class Permission(StrEnum):
    """What a grant allows. To administer is to set a project up; to own, to decide about it."""

    READ = "read"
    UPLOAD = "upload"
    ADMINISTER = "administer"
    OWN = "own"


# On a project, and of an organization: what else a permission allows.
INCLUDED: Final[Mapping[Permission, frozenset[Permission]]] = {
    Permission.READ: frozenset({Permission.READ}),
    Permission.UPLOAD: frozenset({Permission.UPLOAD}),
    Permission.ADMINISTER: frozenset({Permission.READ, Permission.UPLOAD, Permission.ADMINISTER}),
    Permission.OWN: frozenset(Permission),
}


class Unauthenticated(Refusal):
    """This needs a valid token."""

    code = "unauthenticated"
    kind = Kind.UNAUTHENTICATED


class PermissionMissing(Refusal):
    """The token is valid but does not grant this."""

    code = "permission-missing"
    kind = Kind.FORBIDDEN


class PersonNeeded(Refusal):
    """Only a person can do this: somebody logged in, or a personal token for everything."""

    code = "person-needed"
    kind = Kind.FORBIDDEN


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission, on one project or (project None) on all of the instance."""

    permission: Permission
    project: UUID | None = None

    def covers(self, permission: Permission, *, project: UUID | None) -> bool:
        """Whether it allows this there. Who administers the instance may do everything."""
        if self.project is None:
            return self.permission in (permission, Permission.ADMINISTER)
        return self.project == project and permission in INCLUDED[self.permission]


@dataclass(frozen=True, slots=True)
class OrganizationGrant:
    """One permission on an organization itself; what it allows on projects is granted there."""

    permission: Permission
    organization: UUID


@dataclass(frozen=True, slots=True)
class Workload:
    """The CI job that a verified identity token stood for.

    `key` names the job: equal keys are the same job of the same attempt. `facts` are the
    verified facts as provenance.domain.build_facts reads them.
    """

    key: str
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks. `name` goes into logs and the audit trail; it is never a secret.

    `person` is the account's id where a person asks, by a session or a personal token;
    `is_narrowed` when by a token that may not do all that the person may.
    """

    name: str
    grants: frozenset[Grant] = field(default_factory=frozenset)
    workload: Workload | None = None
    organization_grants: frozenset[OrganizationGrant] = field(default_factory=frozenset)
    person: int | None = None
    is_narrowed: bool = False

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody was authenticated."""
        return self is ANONYMOUS

    def may(self, permission: Permission, *, project: UUID | None) -> bool:
        """Whether a grant covers this permission on this project (None: on the instance)."""
        return any(grant.covers(permission, project=project) for grant in self.grants)

    def may_in(self, permission: Permission, *, organization: UUID) -> bool:
        """Whether a grant covers this permission on the organization itself."""
        return self.may(permission, project=None) or any(
            grant.organization == organization and permission in INCLUDED[grant.permission]
            for grant in self.organization_grants
        )

    def require(self, permission: Permission, *, project: UUID | None) -> None:
        """Refuse unless `may`.

        Raises:
            Unauthenticated: nobody is asking.
            PermissionMissing: somebody is, without the grant.
        """
        if not self.may(permission, project=project):
            self._refuse(permission)

    def require_in(self, permission: Permission, *, organization: UUID) -> None:
        """Refuse unless `may_in`, as `require` does."""
        if not self.may_in(permission, organization=organization):
            self._refuse(permission)

    def require_whole_person(self) -> int:
        """The account of the person who asks, with all that they are: not by a narrower token.

        Raises:
            Unauthenticated, PersonNeeded: no person asks, or not so.
        """
        if self.is_anonymous:
            raise Unauthenticated
        if self.person is None or self.is_narrowed:
            raise PersonNeeded(actor=self.name)
        return self.person

    def _refuse(self, permission: Permission) -> NoReturn:
        if self.is_anonymous:
            raise Unauthenticated(permission=permission)
        raise PermissionMissing(permission=permission, actor=self.name)


ANONYMOUS: Final = Actor(name="anonymous")
