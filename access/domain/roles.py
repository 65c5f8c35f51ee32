"""What members may do: one table from roles to permissions, and who may change whose role."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from access.errors import RoleAboveOwn, RoleNotAllowed
from kernel.actor import Permission


class Role(StrEnum):
    """What somebody is in an organization, or in one of its projects; the higher one counts."""

    READER = "reader"
    UPLOADER = "uploader"
    MAINTAINER = "maintainer"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        """Higher may more."""
        return list(Role).index(self)


PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.READER: frozenset({Permission.READ}),
    Role.UPLOADER: frozenset({Permission.READ, Permission.UPLOAD}),
    Role.MAINTAINER: frozenset({Permission.READ, Permission.UPLOAD, Permission.ADMINISTER}),
    Role.OWNER: frozenset(Permission),
}

# Who is responsible for all projects of an organization is no matter of one project.
ROLES_IN_A_PROJECT: Final = (Role.READER, Role.UPLOADER, Role.MAINTAINER)

# What a service's token may carry: deciding about people and organizations is left to people.
SERVICE_PERMISSIONS: Final = (Permission.READ, Permission.UPLOAD, Permission.ADMINISTER)


class TokenScope(StrEnum):
    """The most that a personal token may do with what its person may do."""

    READ = "read"
    UPLOAD = "upload"
    ALL = "all"


SCOPES: Final[Mapping[TokenScope, frozenset[Permission]]] = {
    TokenScope.READ: frozenset({Permission.READ}),
    TokenScope.UPLOAD: frozenset({Permission.READ, Permission.UPLOAD}),
    TokenScope.ALL: frozenset(Permission),
}


def role_of(permissions: Iterable[Permission]) -> Role | None:
    """The highest role all of whose permissions are there; None when there is not even one."""
    held = set(permissions)
    roles = [role for role in Role if PERMISSIONS[role] <= held]
    return roles[-1] if roles else None


def check_grantable(role: Role, *, own: Role | None, is_project: bool) -> None:
    """Refuse a role that does not exist there, or that is above what the giver has.

    Raises:
        RoleNotAllowed: a project has no owners of its own.
        RoleAboveOwn: nobody gives more than they have.
    """
    if is_project and role not in ROLES_IN_A_PROJECT:
        raise RoleNotAllowed(role=role, expected=[one.value for one in ROLES_IN_A_PROJECT])
    check_reach(role, own=own)


def check_reach(role: Role, *, own: Role | None) -> None:
    """Refuse to touch what is above the actor's own role.

    Raises:
        RoleAboveOwn: it is.
    """
    if own is None or role.rank > own.rank:
        raise RoleAboveOwn(role=role, own=own)
