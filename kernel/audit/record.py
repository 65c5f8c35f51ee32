"""Write the audit trail, in the transaction of the change that it tells."""

from datetime import datetime

from kernel.actor import Actor
from kernel.audit.models import AuditRecord
from kernel.outbox.emit import current_request_id


def record(actor: Actor, action: str, target: str, *, now: datetime, **facts: object) -> None:
    """Append one record. `facts` are JSON values and never secrets."""
    AuditRecord.objects.create(
        at=now,
        actor=actor.name,
        action=action,
        target=target,
        facts=facts,
        request_id=current_request_id(),
    )
