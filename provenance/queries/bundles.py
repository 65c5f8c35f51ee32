"""The bundles of builds: what is kept of them, and whether that is what was recorded."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from provenance.models import Attestation

_KEPT: Final = """
    FROM attestation AS kept JOIN attestation_request AS asked ON asked.id = kept.request_id
    WHERE asked.build_id = {build} AND kept.end_id IS NULL
"""
# SQL for callers who ask of many builds at once: how many bundles of a build are kept, and how many
# bytes that is; whether one of them is not what was recorded; whether another is to come.
KEPT_BUNDLES: Final = f"""
    SELECT count(*) AS bundles, COALESCE(sum(octet_length(kept.bundle)), 0) AS bytes {_KEPT}
"""
BUNDLE_DIFFERS: Final = f"""
    EXISTS (SELECT {_KEPT} AND encode(sha256(kept.bundle), 'hex') <> kept.bundle_sha256)
"""
IS_AWAITED: Final = """
    EXISTS (SELECT FROM attestation_request AS asked
        WHERE asked.build_id = {build} AND asked.state = 'pending')
"""


def kept_attestations(builds: Collection[UUID]) -> QuerySet[Attestation]:
    """The attestations of these builds whose bundles are kept, without those; the oldest first."""
    found = Attestation.objects.filter(request__build_id__in=builds, end=None)
    return found.defer("bundle").order_by("recorded_at", "id")
