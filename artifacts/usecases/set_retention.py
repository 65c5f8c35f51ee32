"""Set a retention policy: a new version, from which every expiry is read from then on."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from artifacts.domain.retention_document import read_policy
from artifacts.errors import PolicyChanged, RetentionPreviewStale
from artifacts.models import RetentionPreview, StoredRetentionPolicy
from artifacts.queries.fates import require_list
from artifacts.queries.frontier import PoliciesSeen, policies_changed_since
from artifacts.queries.locking import policies_change
from artifacts.queries.retention import Held, Holder, held_by
from artifacts.usecases.use_list import use_list
from kernel.actor import Actor
from kernel.audit.record import record


@dataclass(frozen=True, slots=True)
class RetentionChange:
    """What shall hold from now on, and why; `version` is the one that this was decided on.

    With a `preview` exactly what that was made of is saved, or nothing.
    """

    document: object
    reason: str = ""
    version: int | None = None
    preview: RetentionPreview | None = None


def set_retention(*, holder: Holder, change: RetentionChange, actor: Actor, now: datetime) -> Held:
    """Write the next version; what it expires is unreachable at once. A repeat writes none.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not own what the policy is attached to.
        MalformedRetentionPolicy: the document is none.
        PolicyChanged: the policy has another version than the one that was named.
        ListForgotten: the preview was not saved in time.
        RetentionPreviewStale: the preview is of another document or holder, or a policy in reach
            was set since; `changed` is what differs.
    """
    holder.require_owned(actor)
    read_policy(change.document)
    with transaction.atomic(durable=True):
        policies_change()
        _check_preview(change, holder)
        [current] = held_by(holder)
        if change.version not in (None, current.version):
            raise PolicyChanged(expected=change.version, found=current.version)
        if current.document == change.document:
            return current
        if change.preview is not None:
            use_list(question=change.preview, now=now)
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
            preview=str(change.preview.pk) if change.preview is not None else None,
        )
    return held_by(holder)[0]


def _check_preview(change: RetentionChange, holder: Holder) -> None:
    """Refuse a preview that says nothing of this change, or not any more."""
    preview = change.preview
    if preview is None:
        return
    require_list(preview)
    seen = PoliciesSeen(preview.policies, preview.newest_policy)
    changed = policies_changed_since(seen, holder)
    if preview.scope_id != holder.scope:
        changed.append({"what": "holder"})
    if preview.document != change.document:
        changed.append({"what": "document"})
    if changed:
        raise RetentionPreviewStale(preview=preview.pk, made_at=preview.made_at, changed=changed)
