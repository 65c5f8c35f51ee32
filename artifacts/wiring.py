"""Builds artifacts' adapters from settings. Entry points call this and hand the result in."""

from functools import cache

from django.conf import settings

from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.ports import BlobStore, StagingArea


@cache
def _directory() -> DirectoryBlobStore:
    return DirectoryBlobStore(settings.BLOB_DIRECTORY)


def blob_store() -> BlobStore:
    """Where bytes are kept."""
    return _directory()


def staging_area() -> StagingArea:
    """Where bytes arrive, and crashes leave litter."""
    return _directory()
