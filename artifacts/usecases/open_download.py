"""Hand out an artifact's bytes, or refuse: the decision comes before every byte (step 8)."""

import logging
from datetime import datetime

from artifacts.domain.visibility import require_read
from artifacts.errors import ArtifactExpired, ArtifactQuarantined, BlobDamaged
from artifacts.models import Artifact
from artifacts.queries.expiry import expiry_of
from artifacts.queries.retention import holder_of
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
        ArtifactExpired: they may not since a moment that has come; the facts name the rule.
        ArtifactQuarantined: an administrator keeps them from everybody.
        PolicyNotMet: they may not; the facts hold the whole decision.
        BlobDamaged: they may, and the bytes are known not to be the measured ones any more.
        PermissionMissing, ArtifactNotPublished, TrustRootMissing: as `verify_artifact`.
    """
    project = artifact.project
    require_read(actor, project=project.pk, is_public=project.is_public)
    _require_unexpired(artifact, now=now)
    _require_released(artifact)
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


def _require_released(artifact: Artifact) -> None:
    quarantine = getattr(artifact, "quarantine", None)
    if quarantine is not None:
        raise ArtifactQuarantined(
            artifact=artifact.pk,
            since=quarantine.marked_at,
            reason=quarantine.reason,
            lifted_by=f"an administrator of {artifact.project}",
        )


def _require_unexpired(artifact: Artifact, *, now: datetime) -> None:
    """Looked at each time: no worker has to run for the moment to come."""
    expiry = expiry_of(artifact, now=now)
    if not expiry.is_expired(now=now) or expiry.rule is None:
        return
    raise ArtifactExpired(
        artifact=artifact.pk,
        expired_at=expiry.expires_at,
        rule=expiry.rule.name,
        level=expiry.rule.level.word,
        of=holder_of(expiry.rule, artifact.project),
        version=expiry.rule.version,
    )
