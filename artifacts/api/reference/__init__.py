"""Artifacts' part of the API reference."""

from typing import Final

from artifacts.api.reference import (
    artifacts,
    builds,
    bulk,
    consumers,
    keeping,
    projects,
    quotas,
    retention,
    signing,
    uploads,
)
from kernel.reference import Operations

OPERATIONS: Final[Operations] = {
    **projects.OPERATIONS,
    **quotas.OPERATIONS,
    **retention.OPERATIONS,
    **keeping.OPERATIONS,
    **bulk.OPERATIONS,
    **builds.OPERATIONS,
    **uploads.OPERATIONS,
    **signing.OPERATIONS,
    **consumers.OPERATIONS,
    **artifacts.OPERATIONS,
}
