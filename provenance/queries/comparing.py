"""Whether evidence is what was recorded: each bundle by its digest, each end by the audit trail."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Count

from kernel.audit.models import AuditRecord
from provenance.models import Attestation, EvidenceEnd

ENDED: Final = "evidence.end"

# The constraint of the table allows none of it but changed bytes; whoever owns the table may have
# taken the constraint away.
_DIFFERING: Final = """
    SELECT id, CASE
        WHEN bundle IS NULL THEN 'the bundle is gone, and nothing says that it ended'
        WHEN end_id IS NOT NULL THEN 'the bundle has ended, and is there'
        ELSE 'the bundle was changed'
    END
    FROM attestation
    WHERE (bundle IS NULL) <> (end_id IS NOT NULL)
        OR encode(sha256(bundle), 'hex') <> bundle_sha256
    ORDER BY recorded_at, id
"""


@dataclass(frozen=True, slots=True)
class EvidenceDifference:
    """Something about evidence that is not as it was recorded: `of` names the row."""

    of: str
    what: str


def evidence_differences() -> Iterator[EvidenceDifference]:
    """Every bundle that is not what was recorded, then every end of which the trail says otherwise.

    It reads and measures all bundles, inside the database.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERING)
        for attestation, what in cursor.fetchall():
            yield EvidenceDifference(f"attestation {attestation}", what)
    told = dict(AuditRecord.objects.filter(action=ENDED).values_list("facts__end", "facts"))
    for end in EvidenceEnd.objects.annotate(found=Count("attestation")).order_by("ended_at", "id"):
        facts = told.pop(str(end.pk), None)
        if facts is None:
            yield EvidenceDifference(f"end {end.pk}", "the audit trail does not have it")
        elif not facts["bundles"] == end.bundles == end.found:
            counted = f"{facts['bundles']} in the trail, {end.bundles} here, {end.found} found"
            yield EvidenceDifference(f"end {end.pk}", f"other bundles ended: {counted}")
        elif facts["manifest_sha256"] != end.manifest_sha256:
            yield EvidenceDifference(f"end {end.pk}", "another list was saved")
    for end_id in told:
        yield EvidenceDifference(f"end {end_id}", "the audit trail has it, and nothing else")


def evidence_extent() -> tuple[int, int]:
    """How many bundles are kept, and how many have ended."""
    ended = Attestation.objects.exclude(end=None).count()
    return Attestation.objects.count() - ended, ended
