"""Set a retention policy: a new version, from which every expiry is read from then on."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from artifacts.domain.retention_document import read_policy
from artifacts.errors import PolicyChanged
from artifacts.models import StoredRetentionPolicy
from artifacts.queries.retention import Held, Holder, held_by
from kernel.actor import Actor
from kernel.audit.record import record


@dataclass(frozen=True, slots=True)
class RetentionChange:
    """What shall hold from now on, and why; `version` is the one that this was decided on."""

    document: object
    reason: str = ""
    version: int | None = None


def set_retention(*, holder: Holder, change: RetentionChange, actor: Actor, now: datetime) -> Held:
    """Write the next version; what it expires is unreachable at once. A repeat writes none.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not own what the policy is attached to.
        MalformedRetentionPolicy: the document is none.
        PolicyChanged: the policy has another version than the one that was named.
    """
    holder.require_owned(actor)
    read_policy(change.document)
    try:
        with transaction.atomic(durable=True):
            [current] = held_by(holder)
            if change.version not in (None, current.version):
                raise PolicyChanged(expected=change.version, found=current.version)
            if current.document == change.document:
                return current
            # Two at once collide on (scope, version): one of them is refused by the constraint.
            StoredRetentionPolicy.objects.create(
                level=holder.level,
                scope_id=holder.scope,
                version=current.version + 1,
                document=change.document,
                set_at=now,
                set_by=actor.name,
                reason=change.reason,
            )
            record(
                actor,
                "retention.set",
                holder.name,
                now=now,
                organization=holder.organization,
                version=current.version + 1,
                before=current.document,
                after=change.document,
                reason=change.reason,
            )
    except IntegrityError as error:
        if "one_retention_policy_per_version" not in str(error):
            raise
        raise PolicyChanged(expected=change.version) from None
    return held_by(holder)[0]
