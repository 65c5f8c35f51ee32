"""Who was given what: the download log, for those who administer a project."""

from typing import Final
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import rfc3339
from artifacts.api.filters import asked, identity, time
from artifacts.api.links import project_url
from artifacts.api.pages import PAGE_DOWNLOADS, next_link
from artifacts.api.shapes import DownloadLine
from artifacts.models import Download
from artifacts.queries import visible_project
from artifacts.queries.downloads import DownloadFilter, downloads_after
from artifacts.queries.positions import decode_cursor, encode_cursor, moment
from kernel.actor import Permission
from kernel.digest import Sha256
from kernel.native import NativeView
from kernel.rest import actor_of

FILTERS: Final = ("artifact", "sha256", "actor", "since", "until")


class ProjectDownloads(NativeView):
    """The project's download log, newest first."""

    def get(self, request: Request, organization: str, project: str) -> Response:
        """Show one page; `?sha256=` answers who was given these bytes."""
        actor = actor_of(request)
        place = visible_project(actor=actor, organization=organization, project=project)
        actor.require(Permission.ADMINISTER, project=place.pk)
        parameters = asked(request, "cursor", *FILTERS)
        position = decode_cursor(parameters.get("cursor"), moment, UUID)
        digest = parameters.get("sha256")
        found = downloads_after(
            (position[0], position[1]) if position is not None else None,
            project=place,
            limit=PAGE_DOWNLOADS + 1,
            wanted=DownloadFilter(
                artifact=identity(parameters, "artifact"),
                sha256=Sha256(digest).hex if digest is not None else None,
                actor=parameters.get("actor"),
                since=time(parameters, "since"),
                until=time(parameters, "until"),
            ),
        )
        shown = found[:PAGE_DOWNLOADS]
        response = Response({"downloads": [_line(download) for download in shown]})
        if len(found) > PAGE_DOWNLOADS:
            cursor = encode_cursor(shown[-1].at.isoformat(), shown[-1].pk)
            url = f"{project_url(place)}/downloads"
            response["Link"] = next_link(url, cursor, parameters)
        return response


def _line(download: Download) -> DownloadLine:
    return {
        "id": str(download.pk),
        "at": rfc3339(download.at),
        "artifact": str(download.artifact_id),
        "build": str(download.build_id),
        "path": download.path,
        "member": download.member,
        "sha256": download.sha256,
        "actor": download.actor,
        "address": download.address,
        "way": download.way,
        "range": download.byte_range,
        "verdict": download.verdict,
        "reason": download.reason,
        "decision": download.decision,
        "request_id": download.request_id,
    }
