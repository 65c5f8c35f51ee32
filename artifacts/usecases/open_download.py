"""Hand out an artifact's bytes, or refuse: the decision comes before every byte (step 8)."""

import logging
from datetime import datetime

from artifacts.errors import BlobDamaged
from artifacts.models import Artifact
from artifacts.usecases.verify_artifact import verify_artifact
from kernel.actor import Actor
from kernel.metrics import VERIFICATIONS
from provenance.domain.report import Verdict
from provenance.errors import PolicyNotMet
from provenance.usecases.verify_subject import Judge

logger = logging.getLogger(__name__)


def open_download(
    *, actor: Actor, artifact: Artifact, judge: Judge, base_url: str, now: datetime
) -> Verdict:
    """Decide whether the bytes may be handed out; also HEAD, ranges and conditions ask first.

    A project that only observes serves what it would refuse, and the log says so.

    Raises:
        PolicyNotMet: they may not; the facts hold the whole decision.
        BlobDamaged: they may, and the bytes are known not to be the measured ones any more.
        PermissionMissing, ArtifactNotPublished, TrustRootMissing: as `verify_artifact`.
    """
    verdict = verify_artifact(
        actor=actor, artifact=artifact, judge=judge, base_url=base_url, now=now
    )
    outcome = "allow" if verdict.allowed else "observed" if verdict.serves else "deny"
    VERIFICATIONS.labels(outcome, verdict.reason or "none").inc()
    if not verdict.allowed:
        logger.warning(
            "policy not met",
            extra={
                "artifact": str(artifact.pk),
                "reason": verdict.reason,
                "served": verdict.serves,
                "actor": actor.name,
            },
        )
    if not verdict.serves:
        raise PolicyNotMet(artifact=artifact.pk, reason=verdict.reason, decision=verdict.document)
    if artifact.blob.damaged_at is not None:
        raise BlobDamaged(
            artifact=artifact.pk,
            expected_sha256=artifact.blob.sha256,
            damaged_since=artifact.blob.damaged_at,
        )
    return verdict
