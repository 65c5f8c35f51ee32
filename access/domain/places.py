"""Where people have roles: an organization, or one project of it."""

from dataclasses import dataclass
from uuid import UUID

from access.domain.roles import Role, role_of
from kernel.actor import Actor, Permission


@dataclass(frozen=True, slots=True)
class Place:
    """An organization itself (`project` None) or one of its projects, and its present name."""

    organization: UUID
    project: UUID | None
    name: str

    @property
    def columns(self) -> dict[str, UUID | None]:
        """As memberships and invitations name it: the one or the other."""
        is_project = self.project is not None
        organization = None if is_project else self.organization
        return {"organization_id": organization, "project_id": self.project}

    def role_of(self, actor: Actor) -> Role | None:
        """The actor's own role here, by what its grants allow."""
        return role_of(p for p in Permission if self._allows(actor, p))

    def require_member(self, actor: Actor) -> None:
        """Refuse who may not see the members.

        Raises:
            Unauthenticated, PermissionMissing: the actor has no role here.
        """
        if self.project is not None:
            actor.require(Permission.READ, project=self.project)
        else:
            actor.require_in(Permission.READ, organization=self.organization)

    def require_manager(self, actor: Actor) -> None:
        """Refuse who may not decide about members: maintainers of a project, and owners, do.

        Raises:
            Unauthenticated, PermissionMissing: the actor is none of them.
        """
        if self.project is not None:
            actor.require(Permission.ADMINISTER, project=self.project)
        else:
            actor.require_in(Permission.OWN, organization=self.organization)

    def is_managed_by(self, actor: Actor) -> bool:
        """Whether `require_manager` would let the actor."""
        wanted = Permission.OWN if self.project is None else Permission.ADMINISTER
        return self._allows(actor, wanted)

    def _allows(self, actor: Actor, permission: Permission) -> bool:
        if self.project is not None:
            return actor.may(permission, project=self.project)
        return actor.may_in(permission, organization=self.organization)
