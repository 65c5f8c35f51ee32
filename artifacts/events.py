"""Every event that artifacts can emit."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class BuildPublished:
    """A build's files have become visible."""

    name: ClassVar[str] = "build.published"
    build_id: UUID
