"""Save the bundles of builds before they end: every one, and a list of them with digests."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from kernel import faults
from provenance.models import Attestation
from provenance.ports import EvidenceCopy
from provenance.queries.bundles import kept_attestations


@dataclass(frozen=True, slots=True)
class Saved:
    """Which attestations' bundles may end; `manifest_sha256` is empty where nothing was saved."""

    attestations: tuple[UUID, ...]
    manifest_sha256: str = ""


def save_bundles(*, builds: Collection[UUID], copy: EvidenceCopy) -> Saved:
    """Save what is kept about these builds; durable when it returns.

    One bundle is in memory at a time. The list depends on what is saved alone, so that a repeat
    writes the same files.

    Raises:
        EvidenceNotSaved: something could not be written.
    """
    lines: list[str] = []
    attestations = list(kept_attestations(builds))
    for one in attestations:
        bundle = _bundle_of(one)
        lines.append(json.dumps(_line(one, bundle, copy.save(bundle)), sort_keys=True))
    faults.reach("provenance.bundles-saved")
    manifest = "".join(f"{line}\n" for line in lines).encode()
    copy.finish(manifest)
    return Saved(tuple(one.pk for one in attestations), hashlib.sha256(manifest).hexdigest())


def save_nothing(*, builds: Collection[UUID]) -> Saved:
    """What an operator asks for who wants no copy: these bundles are lost when they end."""
    return Saved(tuple(one.pk for one in kept_attestations(builds)))


def _bundle_of(attestation: Attestation) -> bytes:
    return (
        Attestation.objects.only("bundle", "bundle_sha256", "end")
        .get(pk=attestation.pk)
        .kept_bundle
    )


def _line(attestation: Attestation, bundle: bytes, file: str) -> dict[str, object]:
    return {
        "attestation": str(attestation.pk),
        "project": str(attestation.project_id),
        "build": str(attestation.build_id),
        "predicate_type": attestation.predicate_type,
        "recorded_at": attestation.recorded_at.isoformat(),
        "sha256": attestation.bundle_sha256,
        "size_bytes": len(bundle),
        "file": file,
    }
