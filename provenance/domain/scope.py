"""Whom a claim belongs to: blobs are shared by digest, claims never leave their scope."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Scope:
    """An organization and a project by their immutable ids; opaque to provenance."""

    organization: UUID
    project: UUID
