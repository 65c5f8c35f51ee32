"""The artifact tables, one aggregate a module."""

from artifacts.models.allowed_ref import AllowedRef
from artifacts.models.artifact import Artifact
from artifacts.models.blob import Blob, BlobState
from artifacts.models.build import Build
from artifacts.models.contribution import Contribution
from artifacts.models.download import Download
from artifacts.models.organization import Organization
from artifacts.models.project import Project
from artifacts.models.reconciliation import Discrepancy, Reconciliation
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
from artifacts.models.store_probe import StoreProbe
from artifacts.models.upload import Upload
from artifacts.models.use import UseSlice

__all__ = [
    "AllowedRef",
    "Artifact",
    "Blob",
    "BlobState",
    "Build",
    "Contribution",
    "Discrepancy",
    "Download",
    "Organization",
    "Project",
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
    "StoreProbe",
    "StoredRetentionPolicy",
    "Tombstone",
    "Upload",
    "UseSlice",
]
