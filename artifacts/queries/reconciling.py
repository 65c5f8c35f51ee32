"""What comparing a store with its rows asks of the rows."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

from artifacts.domain.reconciliation import Difference
from artifacts.domain.transfer import PENDING
from artifacts.models import (
    Artifact,
    Blob,
    BlobState,
    Discrepancy,
    Reconciliation,
    Scrub,
    StoreRepair,
    Upload,
)

_PAGE: Final = 2000
_DIGEST: Final = re.compile(r"/([0-9a-f]{64})[./]")


def digest_claimed_by(key: str) -> str:
    """The digest that a key has in it, or nothing. It is only a claim."""
    found = _DIGEST.search(key)
    return found[1] if found else ""


def blobs_by_key() -> Iterator[Blob]:
    """Every row, also of what is on its way out, by the bytes of its key; never as a list."""
    after = ""
    while page := list(Blob.objects.filter(key__gt=after).order_by("key")[:_PAGE]):
        yield from page
        after = page[-1].key


def keys_in_use(keys: Sequence[str]) -> frozenset[str]:
    """Those of the keys that a row names, or an upload that is not in its build yet."""
    # In this order: an upload that ends in between has left a blob with its key.
    pending = Upload.objects.filter(key__in=keys, state__in=PENDING).values_list("key", flat=True)
    known = frozenset(pending)
    return known | frozenset(Blob.objects.filter(key__in=keys).values_list("key", flat=True))


def damaged_digests(digests: Iterable[str]) -> frozenset[str]:
    """Those of the digests whose blob is damaged."""
    damaged = Blob.objects.filter(damaged_at__isnull=False, state=BlobState.LIVE)
    found = damaged.filter(sha256__in=set(digests)).values_list("sha256", flat=True)
    return frozenset(found)


def damaged_blobs() -> int:
    """How many blobs are known to be damaged."""
    return Blob.objects.filter(damaged_at__isnull=False, state=BlobState.LIVE).count()


def stuck_blobs() -> int:
    """How many blobs the store has still that it was told to remove."""
    return Blob.objects.filter(stuck_at__isnull=False, state=BlobState.COLLECTING).count()


def last_reconciliation(*, place: str) -> Reconciliation | None:
    """The newest comparison of this place."""
    found = Reconciliation.objects.filter(place=place).order_by("-started_at")
    return found.first()


def newest_reconciliations(*, place: str, most: int) -> list[Reconciliation]:
    """The newest comparisons of this place, each with the repair that was asked for it, if any."""
    found = Reconciliation.objects.filter(place=place).select_related("repair")
    return list(found.order_by("-started_at")[:most])


def differences_after(
    after: int, *, report: Reconciliation, difference: Difference | None, limit: int
) -> list[Discrepancy]:
    """The report's rows behind this one, of one kind or all."""
    found = report.discrepancies.filter(pk__gt=after)
    if difference is not None:
        found = found.filter(difference=difference)
    return list(found.order_by("id")[:limit])


def listed_differences(report: Reconciliation) -> int:
    """How many of the differences have rows: so many a repair looks at."""
    return report.discrepancies.count()


def repair_of(report: Reconciliation) -> StoreRepair | None:
    """The repair that was asked for this report."""
    return StoreRepair.objects.filter(reconciliation=report).first()


def newest_damaged(*, most: int) -> list[tuple[Blob, Artifact | None]]:
    """The blobs that were found damaged last, each with the newest file that has its bytes."""
    damaged = Blob.objects.filter(damaged_at__isnull=False, state=BlobState.LIVE)
    blobs = list(damaged.order_by("-damaged_at", "id")[:most])
    of_blobs = Artifact.objects.filter(blob__in=blobs).select_related("project__organization")
    newest = of_blobs.order_by("blob", "-stored_at", "id").distinct("blob")
    files = {one.blob_id: one for one in newest}
    return [(one, files.get(one.pk)) for one in blobs]


def scrub() -> Scrub:
    """How far the stored bytes have been measured again; untouched before a worker began."""
    return Scrub.objects.first() or Scrub()


def reconciliation(key: UUID) -> Reconciliation | None:
    """The comparison of this id."""
    return Reconciliation.objects.filter(pk=key).first()
