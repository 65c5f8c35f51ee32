"""The artifact tables, one aggregate a module."""

from artifacts.models.allowed_ref import AllowedRef
from artifacts.models.artifact import Artifact, NamedFile
from artifacts.models.blob import Blob, BlobState
from artifacts.models.bucket_hold import BucketHold
from artifacts.models.build import Build
from artifacts.models.bulk_action import (
    BulkAction,
    BulkActionItem,
    BulkActionOutcome,
    BulkRun,
)
from artifacts.models.contribution import Contribution
from artifacts.models.declared_use import DeclaredUse
from artifacts.models.download import Download
from artifacts.models.freed_blob import FreedBlob
from artifacts.models.hold import Hold, HoldConsent, HoldLifting
from artifacts.models.list_fate import ListFate
from artifacts.models.mark import Mark, Quarantine, Yank
from artifacts.models.organization import Organization
from artifacts.models.project import Project
from artifacts.models.reconciliation import Discrepancy, Reconciliation, StoreRepair
from artifacts.models.retention import StoredRetentionPolicy
from artifacts.models.retention_plan import (
    RetentionPlan,
    RetentionPlanItem,
    RetentionPlanRule,
    RetentionRun,
    RunState,
    Tombstone,
)
from artifacts.models.retention_preview import (
    RetentionPreview,
    RetentionPreviewItem,
    RetentionPreviewRule,
)
from artifacts.models.retention_wait import RetentionWait
from artifacts.models.scrub import Scrub
from artifacts.models.storage import StorageDay
from artifacts.models.store_probe import StoreProbe
from artifacts.models.trash import TrashedArtifact
from artifacts.models.upload import Upload
from artifacts.models.use import UseSlice

__all__ = [
    "AllowedRef",
    "Artifact",
    "Blob",
    "BlobState",
    "BucketHold",
    "Build",
    "BulkAction",
    "BulkActionItem",
    "BulkActionOutcome",
    "BulkRun",
    "Contribution",
    "DeclaredUse",
    "Discrepancy",
    "Download",
    "FreedBlob",
    "Hold",
    "HoldConsent",
    "HoldLifting",
    "ListFate",
    "Mark",
    "NamedFile",
    "Organization",
    "Project",
    "Quarantine",
    "Reconciliation",
    "RetentionPlan",
    "RetentionPlanItem",
    "RetentionPlanRule",
    "RetentionPreview",
    "RetentionPreviewItem",
    "RetentionPreviewRule",
    "RetentionRun",
    "RetentionWait",
    "RunState",
    "Scrub",
    "StorageDay",
    "StoreProbe",
    "StoreRepair",
    "StoredRetentionPolicy",
    "Tombstone",
    "TrashedArtifact",
    "Upload",
    "UseSlice",
    "Yank",
]
