"""An artifact: its verification as a story, and each attestation as it was signed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from django.conf import settings
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.visibility import require_read
from artifacts.errors import ArtifactExpired, ArtifactRemoved, AttestationNotFound
from artifacts.queries import visible_artifact
from artifacts.queries.expiry import expiry_of
from artifacts.usecases.verify_artifact import verify_artifact
from console.administration import administers_something
from console.answers import actor_of, page, show
from console.commands import Checked, with_cosign, with_strongroom
from console.lifetime import sentence_of
from console.story import Story, checks_of, story_before_verdict, story_of_verdict
from console.views.builds import title_of
from kernel.actor import Permission
from kernel.digest import Sha256
from provenance.domain.build_facts import Witnessed
from provenance.domain.statement import is_timestamped, unverified_statement
from provenance.queries import attestation, attestations_of
from provenance.wiring import judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from artifacts.models import Artifact
    from kernel.actor import Actor
    from provenance.domain.report import Verdict
    from provenance.models import Attestation


# By name, as the link is offered; what it is, is seen when somebody looks.
ARCHIVES: Final = (
    ".zip",
    ".whl",
    ".jar",
    ".tar",
    ".tar.gz",
    ".tgz",
    ".tar.bz2",
    ".tar.xz",
    ".tar.zst",
    ".crate",
    ".nupkg",
)


@require_safe
@page
def artifact(request: HttpRequest, artifact: UUID) -> HttpResponse:
    """Decide now (or take the kept decision), and tell it."""
    actor = actor_of(request)
    try:
        found = _readable(actor, artifact)
    except (ArtifactExpired, ArtifactRemoved):
        if not administers_something(actor):
            raise
        return HttpResponseRedirect(reverse("artifact_history", args=[artifact]))
    now = timezone.now()
    verdict = _decided(actor, found)
    attestations = _attestations(found)
    content = {
        **_place(found),
        "expiry": sentence_of(expiry_of(found, now=now), found, now=now),
        "story": _story(found, verdict),
        "attestations": [_shown(found, one, verdict) for one in attestations],
        "download": _api(found, "/download"),
        "commands": _commands(found, verdict, attestations),
        "is_owned": actor.may(Permission.OWN, project=found.project_id),
        "is_archive": found.path.lower().endswith(ARCHIVES),
    }
    return show(request, "console/artifact.html", content)


@require_safe
@page
def attestation_of(request: HttpRequest, artifact: UUID, identity: UUID) -> HttpResponse:
    """What one attestation says, to be read; and its bundle, to be checked."""
    actor = actor_of(request)
    found = _readable(actor, artifact)
    one = attestation(
        scope=found.project.scope,
        build=found.build_id,
        digest=Sha256(found.blob.sha256),
        identity=identity,
    )
    if one is None:
        raise AttestationNotFound
    statement = unverified_statement(one.kept_bundle)
    content = {
        **_place(found),
        "here": "Attestation",
        "attestation": _shown(found, one, _decided(actor, found)),
        "statement": json.dumps(statement, indent=2, ensure_ascii=False) if statement else "",
        "subjects": len(statement.get("subject", ())) if statement else 0,
    }
    return show(request, "console/attestation.html", content)


def _readable(actor: Actor, artifact: UUID) -> Artifact:
    found = visible_artifact(actor=actor, artifact=artifact)
    require_read(actor, project=found.project_id, is_public=found.project.is_public)
    return found


def _place(found: Artifact) -> dict[str, Any]:
    return {
        "project": found.project,
        "build": found.build,
        "build_title": title_of(found.build),
        "artifact": found,
    }


def _decided(actor: Actor, found: Artifact) -> Verdict | None:
    """The decision; None before there is anything to decide about."""
    if found.build.state != BuildState.PUBLISHED:
        return None
    return verify_artifact(
        actor=actor,
        artifact=found,
        judge=judge(),
        base_url=settings.PUBLIC_URL,
        now=timezone.now(),
    )


def _story(found: Artifact, verdict: Verdict | None) -> Story:
    witnessed = found.contribution.witnessed
    facts = Witnessed.from_json(witnessed) if witnessed is not None else None
    if verdict is not None:
        return story_of_verdict(verdict, facts)
    return story_before_verdict(BuildState(found.build.state), facts, found.build.refused)


def _attestations(found: Artifact) -> list[Attestation]:
    return attestations_of(
        scope=found.project.scope, build=found.build_id, digest=Sha256(found.blob.sha256)
    )


def _shown(found: Artifact, one: Attestation, verdict: Verdict | None) -> dict[str, Any]:
    """The attestation with what the decision says of it, and the address of its exact bytes."""
    decided = verdict.document["attestations"] if verdict is not None else ()
    said = next((entry for entry in decided if entry["id"] == str(one.pk)), None)
    return {
        "id": one.pk,
        "predicate_type": one.predicate_type,
        "recorded_at": one.recorded_at,
        "bundle_sha256": one.bundle_sha256,
        "bundle": _api(found, f"/attestations/{one.pk}"),
        "page": reverse("attestation", args=[found.pk, one.pk]),
        "said": said,
        "checks": checks_of(said["steps"]) if said is not None else (),
    }


def _commands(
    found: Artifact, verdict: Verdict | None, attestations: Sequence[Attestation]
) -> dict[str, Any] | None:
    """What anybody can check with; None where nothing counts that could be checked."""
    counted = verdict.document["provenance"] if verdict is not None else None
    if verdict is None or counted is None:
        return None
    attested = next(
        one for one in verdict.document["attestations"] if one["id"] == counted["attestation"]
    )
    bundle = next(one.kept_bundle for one in attestations if str(one.pk) == attested["id"])
    checked = Checked(
        store=settings.PUBLIC_URL,
        project=str(found.project),
        path=found.path,
        build=str(found.build_id),
        download_url=settings.PUBLIC_URL + _api(found, "/download"),
        bundle_url=settings.PUBLIC_URL + _api(found, f"/attestations/{attested['id']}"),
        is_timestamped=is_timestamped(bundle),
        is_public=found.project.is_public,
    )
    return {
        "strongroom": with_strongroom(checked),
        "cosign": with_cosign(checked, attested),
        "is_unlogged": "log" not in attested,
    }


def _api(found: Artifact, part: str) -> str:
    """Where the native API answers for the artifact; with a browser's session, too."""
    return f"/api/v1/artifacts/{found.pk}{quote(part)}"
