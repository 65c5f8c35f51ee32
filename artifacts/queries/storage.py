"""What was measured of storage, for pages: nothing here counts artifacts."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from artifacts.models import Artifact, Organization, Project, StorageDay
from artifacts.models.retention import INSTANCE


@dataclass(frozen=True, slots=True)
class Largest:
    """The newest of the files that have the same bytes, and how many they are."""

    artifact: Artifact
    files: int


def newest_storage(subject: UUID) -> StorageDay | None:
    """What it had when everything was last measured; None before it was."""
    return StorageDay.objects.filter(subject=subject).order_by("-day").first()


def storage_of_parts(whole: StorageDay, *, limit: int) -> list[tuple[str, StorageDay]]:
    """The organizations of the store, or an organization's projects: slugs, the largest first."""
    found = StorageDay.objects.filter(parent=whole.subject, day=whole.day)
    rows = list(found.order_by("-physical_bytes", "subject")[:limit])
    model = Organization if whole.subject == INSTANCE else Project
    named = dict(
        model.objects.filter(pk__in=[one.subject for one in rows]).values_list("pk", "slug")
    )
    return [(named[one.subject], one) for one in rows if one.subject in named]


def growth_of(subject: UUID, *, days: int) -> list[StorageDay]:
    """The last days on which it was measured, the oldest first."""
    found = StorageDay.objects.filter(subject=subject).order_by("-day")
    return list(found.defer("ages", "refs", "largest")[:days])[::-1]


def largest_of(whole: StorageDay) -> Sequence[Largest]:
    """The files with the most bytes that are still there, the largest first."""
    files = dict(whole.largest)
    inside = Q()
    if whole.subject != INSTANCE:
        inside = Q(project=whole.subject) | Q(project__organization=whole.subject)
    found = Artifact.objects.filter(inside, blob__in=files)
    newest = found.order_by("blob", "-stored_at", "id").distinct("blob")
    rows = newest.select_related("blob", "project__organization")
    by_size = sorted(rows, key=lambda one: (-one.blob.size_bytes, one.blob_id))
    return [Largest(one, files[one.blob_id]) for one in by_size]
