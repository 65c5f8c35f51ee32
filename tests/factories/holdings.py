"""What a store holds: rows, objects, and what is neither visible nor collected yet."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from artifacts.models import Artifact, Blob
from artifacts.ports import DirectUploads, Inventory, StagingArea
from artifacts.usecases.collect_blobs import collect_blobs
from artifacts.usecases.collect_litter import collect_litter

PATIENCE: Final = timedelta(days=1, minutes=1)


class SweptStore(Inventory, StagingArea, Protocol):
    """What the sweeps look through."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Counts at one moment: artifacts with a path, their blobs, stored keys, temporary things."""

    visible: int
    blobs: int
    stored: int
    temporary: int

    @classmethod
    def of(cls, inventory: Inventory, count_temporary: Callable[[], int]) -> "Holdings":
        """Count now; `count_temporary` gives files in incoming/, or multipart uploads."""
        return cls(
            Artifact.objects.count(),
            Blob.objects.count(),
            len(inventory.page(after="")),
            count_temporary(),
        )


def sweep(store: SweptStore, *, now: datetime, direct: DirectUploads | None = None) -> None:
    """What the worker's sweeps do within two days from `now`."""
    collect_litter(staging=store, direct=direct, now=now + PATIENCE)
    collect_blobs(inventory=store, now=now + PATIENCE)
    collect_blobs(inventory=store, now=now + 2 * PATIENCE)
