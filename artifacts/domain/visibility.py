"""Who may know that a project exists, and who may read what is in it."""

from uuid import UUID

from kernel.actor import Actor, Permission


def may_see(actor: Actor, *, project: UUID, is_public: bool) -> bool:
    """Whether the project exists for this actor. To everyone else it is absent, not forbidden."""
    return is_public or any(actor.may(permission, project=project) for permission in Permission)


def require_read(actor: Actor, *, project: UUID, is_public: bool) -> None:
    """Refuse an actor who sees the project but may not read it, such as a pure uploader.

    Raises:
        PermissionMissing: the actor's token does not grant reading.
    """
    if not is_public:
        actor.require(Permission.READ, project=project)
