"""Who asks: an authenticated actor with grants. Authentication happens above, once, at the edge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID

from kernel.errors import Kind, Refusal


class Permission(StrEnum):
    """What a grant allows."""

    READ = "read"
    UPLOAD = "upload"
    ADMINISTER = "administer"


class Unauthenticated(Refusal):
    """This needs a valid token."""

    code = "unauthenticated"
    kind = Kind.UNAUTHENTICATED


class PermissionMissing(Refusal):
    """The token is valid but does not grant this."""

    code = "permission-missing"
    kind = Kind.FORBIDDEN


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission, on one project or (project None) on all of the instance."""

    permission: Permission
    project: UUID | None = None


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
    """Whoever asks. `name` goes into logs and the audit trail; it is never a secret."""

    name: str
    grants: frozenset[Grant] = field(default_factory=frozenset)
    workload: Workload | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody was authenticated."""
        return self is ANONYMOUS

    def may(self, permission: Permission, *, project: UUID | None) -> bool:
        """Whether a grant covers this permission on this project (None: on the instance)."""
        wanted = {permission, Permission.ADMINISTER}
        return any(
            grant.permission in wanted and grant.project in (None, project) for grant in self.grants
        )

    def require(self, permission: Permission, *, project: UUID | None) -> None:
        """Refuse unless `may`.

        Raises:
            Unauthenticated: nobody is asking.
            PermissionMissing: somebody is, without the grant.
        """
        if self.may(permission, project=project):
            return
        if self.is_anonymous:
            raise Unauthenticated(permission=permission)
        raise PermissionMissing(permission=permission, actor=self.name)


ANONYMOUS: Final = Actor(name="anonymous")
