"""Every event that artifacts can emit."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class BuildPublished:
    """A build's files have become visible."""

    name: ClassVar[str] = "build.published"
    build_id: UUID


@dataclass(frozen=True, slots=True)
class UploadCompleted:
    """A direct upload's object is frozen, and waits to be measured."""

    name: ClassVar[str] = "upload.completed"
    upload_id: UUID


@dataclass(frozen=True, slots=True)
class RetentionRunStarted:
    """Somebody has let a retention plan be applied."""

    name: ClassVar[str] = "retention.run-started"
    plan_id: UUID


@dataclass(frozen=True, slots=True)
class BulkActionStarted:
    """Somebody has seen what an act on many artifacts does, and lets it be done."""

    name: ClassVar[str] = "bulk-action.started"
    bulk_action_id: UUID


@dataclass(frozen=True, slots=True)
class StoreRepairAsked:
    """Somebody has seen a report of differences, and lets them be repaired."""

    name: ClassVar[str] = "store.repair-asked"
    report_id: UUID


@dataclass(frozen=True, slots=True)
class HoldsChanged:
    """A legal hold was placed or lifted; what the bucket holds follows."""

    name: ClassVar[str] = "holds.changed"
    hold_id: UUID
