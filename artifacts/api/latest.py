"""The latest artifact of a branch or tag, and of which refs a project lets it speak."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import artifact_document
from artifacts.api.filters import asked
from artifacts.api.finding import readable_project
from artifacts.api.links import artifact_url
from artifacts.domain.refs import MAX_ALLOWED_REFS, MAX_REF_CHARACTERS
from artifacts.queries import allowed_refs, visible_project
from artifacts.queries.expiry import expiry_of
from artifacts.usecases.allow_refs import allow_refs
from artifacts.usecases.find_latest import WantedLatest, find_latest
from kernel.native import NativeView
from kernel.rest import actor_of
from provenance import wiring as provenance_wiring


class Latest(NativeView):
    """The newest published artifact of a path and ref that the policy allows now."""

    def get(self, request: Request, organization: str, project: str, path: str) -> Response:
        """Name it in the body, and lead to its verified download.

        The address that it leads to is the artifact's own: what is decided and sent there is this
        artifact, whatever has become the latest meanwhile.
        """
        actor = actor_of(request)
        place = visible_project(actor=actor, organization=organization, project=project)
        now = timezone.now()
        found = find_latest(
            actor=actor,
            wanted=WantedLatest(place, path, asked(request, "ref").get("ref", "")),
            judge=provenance_wiring.judge(),
            base_url=settings.PUBLIC_URL,
            now=now,
        )
        return Response(
            artifact_document(found, expiry_of(found, now=now)),
            status=302,
            headers={
                "Location": artifact_url(found, "/download"),
                "Cache-Control": "no-store",
            },
        )


class AllowedRefsIn(serializers.Serializer[Any]):
    """All refs that are to be allowed."""

    allowed_refs = serializers.ListField(
        child=serializers.CharField(max_length=MAX_REF_CHARACTERS, trim_whitespace=False),
        max_length=MAX_ALLOWED_REFS,
    )


class AllowedRefs(NativeView):
    """Which refs count for the project's latest although their platform does not protect them."""

    def get(self, request: Request, organization: str, project: str) -> Response:
        """List them."""
        place = readable_project(request, organization, project)
        return Response({"allowed_refs": allowed_refs(project=place)})

    def put(self, request: Request, organization: str, project: str) -> Response:
        """Allow these and no others."""
        actor = actor_of(request)
        place = visible_project(actor=actor, organization=organization, project=project)
        given = AllowedRefsIn(data=request.data)
        given.is_valid(raise_exception=True)
        allow_refs(
            actor=actor,
            project=place,
            patterns=given.validated_data["allowed_refs"],
            now=timezone.now(),
        )
        return Response({"allowed_refs": allowed_refs(project=place)})
