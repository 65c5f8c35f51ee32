"""Yank, quarantine, removal and restoring: of an artifact, and of a whole build."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts import wiring
from artifacts.api.documents import artifact_document, mark_document, rfc3339
from artifacts.api.filters import asked
from artifacts.api.keeping_shapes import CountedDocument, MarkDocument, TrashedDocument
from artifacts.api.links import project_url, root
from artifacts.api.pages import PAGE_FILES, next_link
from artifacts.api.reasons import ReasonIn, validated
from artifacts.errors import ArtifactExpired, ArtifactRemoved
from artifacts.models import Artifact, Build, TrashedArtifact
from artifacts.queries import visible_artifact, visible_build, visible_project
from artifacts.queries.expiry import expiry_of
from artifacts.queries.positions import decode_cursor, encode_cursor, moment
from artifacts.queries.trash import trash_after, trashed_seen_by
from artifacts.usecases.quarantine_artifact import quarantine_artifact, release_artifact
from artifacts.usecases.remove_artifact import remove_artifact
from artifacts.usecases.restore_artifact import (
    Restoring,
    restore_trashed,
    unyank_artifact,
    unyank_build,
)
from artifacts.usecases.yank_artifact import yank_artifact, yank_build
from kernel.actor import Actor, Permission
from kernel.native import NativeView
from kernel.rest import actor_of

Marked = Mapping[str, MarkDocument | None]


class ArtifactAct(NativeView):
    """Something that a maintainer does to an artifact, for a reason."""

    def post(self, request: Request, artifact: UUID) -> Response:
        """Do it, and say what has changed."""
        actor = actor_of(request)
        found = visible_artifact(actor=actor, artifact=artifact)
        actor.require(Permission.ADMINISTER, project=found.project_id)
        reason = validated(ReasonIn, request)["reason"]
        changed = self.do(found, reason, actor, timezone.now())
        return Response({"artifact": str(artifact), **changed})

    @abstractmethod
    def do(self, found: Artifact, reason: str, actor: Actor, now: datetime) -> Marked:
        """The act itself; what the artifact is marked with from then on."""


class ArtifactYank(ArtifactAct):
    """Takes an artifact back."""

    def do(self, found: Artifact, reason: str, actor: Actor, now: datetime) -> Marked:
        made = yank_artifact(artifact=found, reason=reason, actor=actor, now=now)
        return {"yanked": mark_document(made)}


class ArtifactQuarantine(ArtifactAct):
    """Keeps an artifact's bytes from everybody."""

    def do(self, found: Artifact, reason: str, actor: Actor, now: datetime) -> Marked:
        made = quarantine_artifact(artifact=found, reason=reason, actor=actor, now=now)
        return {"quarantined": mark_document(made)}


class ArtifactRelease(ArtifactAct):
    """Ends a quarantine."""

    def do(self, found: Artifact, reason: str, actor: Actor, now: datetime) -> Marked:
        release_artifact(artifact=found, reason=reason, actor=actor, now=now)
        return {"quarantined": None}


class ArtifactRemoval(NativeView):
    """Takes an artifact away."""

    def post(self, request: Request, artifact: UUID) -> Response:
        """Put it into the trash."""
        actor = actor_of(request)
        found = visible_artifact(actor=actor, artifact=artifact)
        actor.require(Permission.OWN, project=found.project_id)
        trashed = remove_artifact(
            artifact=found,
            reason=validated(ReasonIn, request)["reason"],
            trash=wiring.trash_window(),
            actor=actor,
            now=timezone.now(),
        )
        return Response(_trashed_document(trashed))


class ArtifactRestoring(NativeView):
    """Gives an artifact back: out of the trash, or out of its yank."""

    def post(self, request: Request, artifact: UUID) -> Response:
        """Restore it."""
        actor, now = actor_of(request), timezone.now()
        try:
            found = visible_artifact(actor=actor, artifact=artifact)
        except (ArtifactExpired, ArtifactRemoved) as gone:
            if "restorable_until" not in gone.facts:
                raise
            return self._out_of_trash(request, trashed_seen_by(actor, artifact=artifact))
        actor.require(Permission.ADMINISTER, project=found.project_id)
        reason = validated(ReasonIn, request)["reason"]
        unyank_artifact(artifact=found, reason=reason, actor=actor, now=now)
        return _shown(actor, artifact)

    def _out_of_trash(self, request: Request, trashed: TrashedArtifact) -> Response:
        actor = actor_of(request)
        actor.require(Permission.OWN, project=trashed.project_id)
        reason = validated(ReasonIn, request)["reason"]
        restoring = Restoring(reason, wiring.trash_window())
        restore_trashed(trashed=trashed, restoring=restoring, actor=actor, now=timezone.now())
        return _shown(actor, trashed.pk)


class BuildAct(NativeView):
    """Something that a maintainer does to every file of a build, for a reason."""

    def post(self, request: Request, build: UUID) -> Response:
        """Do it, and say to how many."""
        actor = actor_of(request)
        found = visible_build(actor=actor, build=build)
        actor.require(Permission.ADMINISTER, project=found.project_id)
        reason = validated(ReasonIn, request)["reason"]
        count = self.do(found, reason, actor, timezone.now())
        counted: CountedDocument = {"build": str(found.pk), "artifacts": count}
        return Response(counted)

    @abstractmethod
    def do(self, found: Build, reason: str, actor: Actor, now: datetime) -> int:
        """The act itself; how many files it changed."""


class BuildYank(BuildAct):
    """Takes a whole build back."""

    def do(self, found: Build, reason: str, actor: Actor, now: datetime) -> int:
        return yank_build(build=found, reason=reason, actor=actor, now=now)


class BuildRestoring(BuildAct):
    """Gives a whole build back."""

    def do(self, found: Build, reason: str, actor: Actor, now: datetime) -> int:
        return unyank_build(build=found, reason=reason, actor=actor, now=now)


class ProjectTrash(NativeView):
    """What is in a project's trash."""

    def get(self, request: Request, organization: str, project: str) -> Response:
        """List it, what was removed last first."""
        actor = actor_of(request)
        found = visible_project(actor=actor, organization=organization, project=project)
        actor.require(Permission.ADMINISTER, project=found.pk)
        parameters = asked(request, "cursor")
        position = decode_cursor(parameters.get("cursor"), moment, UUID)
        rows = trash_after(
            (position[0], position[1]) if position is not None else None,
            project=found,
            limit=PAGE_FILES + 1,
        )
        shown = rows[:PAGE_FILES]
        response = Response({"trash": [_trashed_document(one) for one in shown]})
        if len(rows) > PAGE_FILES:
            cursor = encode_cursor(shown[-1].removed_at.isoformat(), shown[-1].pk)
            response["Link"] = next_link(f"{project_url(found)}/trash", cursor, parameters)
        return response


def _shown(actor: Actor, artifact: UUID) -> Response:
    found = visible_artifact(actor=actor, artifact=artifact)
    return Response(artifact_document(found, expiry_of(found, now=timezone.now())))


def _trashed_document(trashed: TrashedArtifact) -> TrashedDocument:
    return {
        "artifact": str(trashed.pk),
        "path": trashed.path,
        "sha256": trashed.blob.sha256,
        "size_bytes": trashed.blob.size_bytes,
        "removed_at": rfc3339(trashed.removed_at),
        "removed_by": trashed.removed_by,
        "restorable_until": rfc3339(trashed.restorable_until),
        "reason": trashed.reason,
        "rule": trashed.rule or None,
        "restore": f"{root()}/artifacts/{trashed.pk}/restore",
    }
