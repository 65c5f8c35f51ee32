"""Find the latest artifact of a branch or tag: published, and verified by the policy of now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from artifacts.domain.names import is_path
from artifacts.domain.visibility import require_read
from artifacts.errors import LatestNotFound
from artifacts.models import Artifact, Project
from artifacts.queries.finding import latest_published
from artifacts.usecases.verify_artifact import verify_artifact
from kernel.actor import Actor
from provenance.errors import PolicyNotMet
from provenance.usecases.verify_subject import Judge

# So many of the newest are asked about: one whose attestations are revoked does not hide the one
# before it, and a project that revoked all of them costs a bounded number of decisions.
MOST_TRIED: Final = 10


@dataclass(frozen=True, slots=True)
class WantedLatest:
    """The newest of a path that came from this ref; an empty ref is a release without CI."""

    project: Project
    path: str
    ref: str


def find_latest(
    *, actor: Actor, wanted: WantedLatest, judge: Judge, base_url: str, now: datetime
) -> Artifact:
    """The artifact that was stored last, of those that the policy allows now.

    A project that only observes hands out more by id than here: a name that moves by itself leads
    to nothing but what is verified. So a release is nobody's latest where provenance is wanted.

    Raises:
        PermissionMissing, Unauthenticated: the actor may not read the project.
        LatestNotFound: there is none, or the ref is neither protected nor allowed.
        PolicyNotMet: there are some, and the newest of them is refused for this reason.
        TrustRootMissing: nothing can be verified yet.
    """
    project = wanted.project
    require_read(actor, project=project.pk, is_public=project.is_public)
    found = _candidates(wanted, now=now)
    refused: PolicyNotMet | None = None
    for artifact in found:
        verdict = verify_artifact(
            actor=actor, artifact=artifact, judge=judge, base_url=base_url, now=now
        )
        if verdict.allowed:
            return artifact
        refused = refused or PolicyNotMet(
            artifact=artifact.pk, reason=verdict.reason, decision=verdict.document
        )
    raise refused or LatestNotFound(path=wanted.path[:200], ref=wanted.ref[:200])


def _candidates(wanted: WantedLatest, *, now: datetime) -> list[Artifact]:
    if not is_path(wanted.path):
        return []
    return latest_published(
        project=wanted.project, path=wanted.path, ref=wanted.ref, limit=MOST_TRIED, now=now
    )
