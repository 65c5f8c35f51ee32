"""Every event that provenance can emit."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AttestationRequested:
    """A sealed build waits for its statement."""

    name: ClassVar[str] = "attestation.requested"
    request_id: UUID


@dataclass(frozen=True, slots=True)
class RemovalRequested:
    """What was removed waits for its statement, and with it its bytes."""

    name: ClassVar[str] = "removal.requested"
    request_id: UUID
