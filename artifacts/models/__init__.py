"""The artifact tables, one aggregate a module."""

from artifacts.models.artifact import Artifact
from artifacts.models.blob import Blob, BlobState
from artifacts.models.build import Build
from artifacts.models.contribution import Contribution
from artifacts.models.organization import Organization
from artifacts.models.project import Project
from artifacts.models.store_probe import StoreProbe
from artifacts.models.upload import Upload

__all__ = [
    "Artifact",
    "Blob",
    "BlobState",
    "Build",
    "Contribution",
    "Organization",
    "Project",
    "StoreProbe",
    "Upload",
]
