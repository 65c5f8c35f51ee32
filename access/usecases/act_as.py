"""Give the actor that a person is at this moment: from the rows, never from what a token was."""

from collections.abc import Iterable
from uuid import UUID

from access.domain.roles import PERMISSIONS, Role
from access.models import Membership, User
from kernel.actor import Actor, Grant, OrganizationGrant, Permission


def act_as(*, person: User, most: frozenset[Permission] = frozenset(Permission)) -> Actor:
    """The person with all that their memberships allow, and no more than `most`.

    One query. A role in an organization is granted on each of its projects, so that the core needs
    to know of no organizations (docs/adr/0017).
    """
    grants: set[Grant] = set()
    owned: set[OrganizationGrant] = set()
    if person.is_superuser:
        grants |= _of_the_instance(most)
    memberships = (
        Membership.objects.filter(person=person)
        .order_by("id")
        .values_list("role", "project_id", "organization_id", "organization__project__id")
    )
    for role, project, organization, project_in_it in memberships:
        permissions = PERMISSIONS[Role(role)] & most
        if organization is not None:
            owned |= {OrganizationGrant(one, organization) for one in permissions}
        grants |= _on(project, permissions) | _on(project_in_it, permissions)
    return Actor(
        name=f"user:{person.get_username()}",
        grants=frozenset(grants),
        organization_grants=frozenset(owned),
        person=person.pk,
        is_narrowed=most != frozenset(Permission),
    )


def _on(project: UUID | None, permissions: Iterable[Permission]) -> set[Grant]:
    """Nothing without a project: such a grant would be one on the whole instance."""
    return set() if project is None else {Grant(one, project) for one in permissions}


def _of_the_instance(most: Iterable[Permission]) -> set[Grant]:
    """An administrator of the instance, or with a narrower token its reader or uploader."""
    allowed = set(most)
    if allowed == set(Permission):
        return {Grant(Permission.ADMINISTER)}
    return {Grant(one) for one in allowed & {Permission.READ, Permission.UPLOAD}}
