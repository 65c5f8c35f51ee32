"""Change a project's verification policy, as far as its maintainers decide about it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from artifacts.errors import PolicyChanged
from artifacts.models import Project
from kernel.actor import Actor, Permission
from provenance.domain.policy import Enforcement, VerificationPolicy
from provenance.queries import current_policy
from provenance.usecases.set_policy import set_policy


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """What shall hold from now on; None keeps what holds.

    `version` is the one that the change was decided on; None where that does not matter. Sources
    are not given here: they are the project's trusted publishers.
    """

    enforcement: Enforcement | None = None
    accepts_release: bool | None = None
    version: int | None = None


def change_policy(
    *, project: Project, change: PolicyChange, actor: Actor, now: datetime
) -> VerificationPolicy:
    """Write the next version, which every download answers to at once. A repeat writes none.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the project.
        PolicyChanged: the policy has another version than the one that was named.
    """
    actor.require(Permission.ADMINISTER, project=project.pk)
    try:
        with transaction.atomic(durable=True):
            current = current_policy(scope=project.scope)
            if change.version not in (None, current.version):
                raise PolicyChanged(expected=change.version, found=current.version)
            if _is_so(change, current):
                return current
            set_policy(
                scope=project.scope,
                actor=actor,
                now=now,
                enforcement=change.enforcement,
                accepts_release=change.accepts_release,
            )
    except IntegrityError as error:
        if "one_policy_per_version" not in str(error):
            raise
        raise PolicyChanged(expected=change.version) from None
    return current_policy(scope=project.scope)


def _is_so(change: PolicyChange, current: VerificationPolicy) -> bool:
    return change.enforcement in (None, current.enforcement) and change.accepts_release in (
        None,
        current.accepts_release,
    )
