"""Builds artifacts' tools from settings. Entry points call this and hand the result in."""

from functools import cache

from django.conf import settings

from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.ports import BlobStore, StagingArea
from artifacts.usecases.publish_build import publish_build
from artifacts.usecases.refuse_build import refuse_build
from provenance.usecases.attest_builds import Endings


@cache
def _directory() -> DirectoryBlobStore:
    return DirectoryBlobStore(settings.BLOB_DIRECTORY)


def blob_store() -> BlobStore:
    """Where bytes are kept."""
    return _directory()


def staging_area() -> StagingArea:
    """Where bytes arrive, and crashes leave litter."""
    return _directory()


def endings() -> Endings:
    """What provenance, which knows nothing of builds, does when one is attested or never can be."""
    return Endings(publish=publish_build, refuse=refuse_build)
