"""Ask provenance whether an artifact's attestations satisfy its project's policy (step 8)."""

from datetime import datetime

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.visibility import require_read
from artifacts.errors import ArtifactNotPublished
from artifacts.models import Artifact
from kernel.actor import Actor
from kernel.digest import Sha256
from provenance.domain.evidence import Expected
from provenance.domain.report import Verdict
from provenance.domain.statement import Subject
from provenance.usecases.verify_subject import Judge, verify_subject


def verify_artifact(
    *, actor: Actor, artifact: Artifact, judge: Judge, base_url: str, now: datetime
) -> Verdict:
    """The decision about a published artifact, with every step for every attestation.

    Raises:
        PermissionMissing: the actor sees the project but may not read it.
        ArtifactNotPublished: there is nothing to decide before the build is published.
        TrustRootMissing: nothing can be verified yet.
    """
    project = artifact.project
    require_read(actor, project=project.pk, is_public=project.is_public)
    build = artifact.build
    if build.state != BuildState.PUBLISHED:
        raise ArtifactNotPublished(
            build=build.pk, state=build.state, reason=build.refused, artifact=artifact.pk
        )
    expected = Expected(
        scope=project.scope,
        build=build.pk,
        subject=Subject(artifact.path, Sha256(artifact.blob.sha256)),
        base_url=base_url,
    )
    return verify_subject(expected=expected, judge=judge, now=now)
