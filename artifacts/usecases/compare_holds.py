"""Compare what legal holds cover with what the bucket holds, a step of `reconcile_store`."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from artifacts.domain.reconciliation import Difference
from artifacts.models import Blob, BlobState, Discrepancy
from artifacts.ports import Listed, ObjectHolds, ObjectVersion
from artifacts.queries.bucket_holds import covered_since

# So long the bucket may take to follow a new hold, or a new file.
SETTLED: Final = timedelta(minutes=15)


def compare_holds(
    *,
    seen: Sequence[tuple[Listed, Blob]],
    bucket: ObjectHolds,
    told: Callable[[Difference, Discrepancy], None],
    now: datetime,
) -> None:
    """Tell where the bucket and legal holds do not agree about these blobs and what is stored.

    At one look: the bucket is asked first and the rows then, and what is younger than a quarter of
    an hour is not missed yet.

    Raises:
        StorageUnavailable: the bucket cannot be asked now.
    """
    asked = [(blob.pk, one) for listed, blob in seen for one in _versions(listed, blob)]
    answers = bucket.are_held([one for _key, one in asked])
    held = {key for (key, _one), is_held in zip(asked, answers, strict=True) if is_held}
    covered = covered_since([blob.pk for _listed, blob in seen], now=now)
    settled = {key for key, since in covered.items() if since <= now - SETTLED}
    for listed, blob in seen:
        if blob.state == BlobState.LIVE and blob.pk in settled - held:
            told(Difference.UNHELD, _row(listed, blob))
        elif blob.pk in held - covered.keys():
            told(Difference.OVERHELD, _row(listed, blob))


def _versions(listed: Listed, blob: Blob) -> Sequence[ObjectVersion]:
    """Of what is on its way out each version: a hold on any keeps it from going."""
    if blob.state == BlobState.LIVE:
        return [blob.version]
    return [ObjectVersion(blob.key, copy.pin) for copy in listed.copies]


def _row(listed: Listed, blob: Blob) -> Discrepancy:
    return Discrepancy(
        key=blob.key,
        sha256=blob.sha256,
        expected_bytes=blob.size_bytes,
        found_bytes=listed.size_bytes,
        since=blob.stored_at,
    )
