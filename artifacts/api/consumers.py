"""What a consumer asks before anything is believed: which artifact, and what to expect of it."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import artifact_document
from artifacts.domain.visibility import require_read
from artifacts.models import Artifact, Project
from artifacts.queries import visible_project
from artifacts.queries.expiry import expiries_of
from artifacts.queries.finding import artifacts_at_path, artifacts_with_digest
from kernel.digest import Sha256
from kernel.native import NativeView
from kernel.rest import MalformedRequest, actor_of
from provenance.domain.expectations import ProjectExpectations, expectations_document
from provenance.queries import current_policy, trust_map, trust_state

MOST_FOUND: Final = 50


class ProjectArtifacts(NativeView):
    """The project's published artifacts with these bytes, or of this path, newest first."""

    def get(self, request: Request, organization: str, project: str) -> Response:
        """Find them: `?sha256=` or `?path=`, exactly one of the two."""
        place = _readable(request, organization, project)
        now = timezone.now()
        found = _found(place, request.query_params, now=now)
        looked_up = found[:MOST_FOUND]
        expiries = expiries_of([one.pk for one in looked_up], project=place, now=now)
        # A retention run may have taken one away in between.
        shown = [one for one in looked_up if one.pk in expiries]
        return Response(
            {
                "artifacts": [artifact_document(one, expiries[one.pk]) for one in shown],
                "is_complete": len(found) <= MOST_FOUND,
            }
        )


class Expectations(NativeView):
    """The project's policy and the store's trust map, for a consumer to keep beforehand."""

    def get(self, request: Request, organization: str, project: str) -> Response:
        """Show them as they are now."""
        place = _readable(request, organization, project)
        version = trust_state().trust_map_version
        shared = settings.ATTESTOR_KEY_IS_SHARED
        expected = ProjectExpectations(
            base_url=settings.PUBLIC_URL,
            project=place.pk,
            project_name=str(place),
            policy=current_policy(scope=place.scope),
            trust_map=trust_map(version=version, key_is_shared=shared),
        )
        return Response(
            expectations_document(expected), headers={"Cache-Control": "private, no-cache"}
        )


def _found(place: Project, asked: QueryDict, *, now: datetime) -> list[Artifact]:
    """One more than is shown, so that the answer can say whether it is all.

    Raises:
        MalformedRequest: neither or both are asked for.
        MalformedDigest: it is no SHA-256.
    """
    match asked.dict():
        case {"sha256": str(digest), **others} if not others:
            return artifacts_with_digest(
                project=place, digest=Sha256(digest), limit=MOST_FOUND + 1, now=now
            )
        case {"path": str(path), **others} if not others:
            return artifacts_at_path(project=place, path=path, limit=MOST_FOUND + 1, now=now)
    raise MalformedRequest(expected="sha256 or path", found=", ".join(sorted(asked))[:200])


def _readable(request: Request, organization: str, project: str) -> Project:
    actor = actor_of(request)
    found = visible_project(actor=actor, organization=organization, project=project)
    require_read(actor, project=found.pk, is_public=found.is_public)
    return found
