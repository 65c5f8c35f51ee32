"""Write the audit trail, in the transaction of the change that it tells."""

from datetime import datetime
from uuid import UUID

from kernel.actor import Actor
from kernel.audit.asking import asking
from kernel.audit.models import AuditRecord
from kernel.outbox.emit import current_request_id
from kernel.rows import insert


def record(
    actor: Actor,
    action: str,
    target: str,
    *,
    now: datetime,
    organization: UUID | None = None,
    **facts: object,
) -> None:
    """Append one record. `facts` are JSON values and never secrets.

    The owners of `organization` may read it; without one, administrators of the instance alone.
    From where it was asked for, and the asker's `reason` if no other is given, come by themselves.
    """
    asked = asking()
    if asked.reason:
        facts.setdefault("reason", asked.reason)
    insert(
        AuditRecord(
            at=now,
            actor=actor.name,
            action=action,
            target=target,
            organization_id=organization,
            facts=facts,
            request_id=current_request_id(),
            address=asked.address,
        )
    )
