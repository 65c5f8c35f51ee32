"""What is in an archive, after the decision about all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone
from django.views.decorators.http import require_safe

from artifacts import wiring
from artifacts.domain.archives import ArchiveMalformed, ArchiveTooCostly, NotAnArchive
from artifacts.errors import ArchivesBusy
from artifacts.queries import visible_artifact
from artifacts.queries.positions import decode_cursor, encode_cursor
from artifacts.usecases.browse_archive import list_members
from artifacts.usecases.log_download import Answered, Asked, log_download
from artifacts.usecases.open_download import open_download
from console.answers import actor_of, page, show
from console.asking import asked as parameters_of
from console.asking import pages
from console.views.builds import title_of
from kernel.connections import give_back
from kernel.errors import Refusal
from provenance.wiring import judge

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from artifacts.domain.archives import Member
    from artifacts.models import Artifact

PAGE_MEMBERS: Final = 200
MOST_MEMBERS: Final = 1_000_000_000


@require_safe
@page
def members(request: HttpRequest, artifact: UUID) -> HttpResponse:
    """One page of its members, in the archive's order; each look is in the download log."""
    actor = actor_of(request)
    found = visible_artifact(actor=actor, artifact=artifact)
    given = parameters_of(request, "cursor")
    start = (decode_cursor(given.get("cursor"), _count) or [0])[0]
    asked = Asked(actor, found, wiring.address_of(request.META))
    try:
        verdict = open_download(
            actor=actor,
            artifact=found,
            judge=judge(),
            base_url=settings.PUBLIC_URL,
            now=timezone.now(),
        )
        give_back()
        listed, reason = _listed(found, start)
    except Refusal as refusal:
        _log(asked, Answered("none", refusal=refusal.code))
        raise
    _log(asked, Answered("members", verdict=verdict))
    more = encode_cursor(start + PAGE_MEMBERS) if len(listed) > PAGE_MEMBERS else None
    content = {
        "project": found.project,
        "build": found.build,
        "build_title": title_of(found.build),
        "artifact": found,
        "members": [_row(one) for one in listed[:PAGE_MEMBERS]],
        "reason": reason,
        "pages": pages(given, more),
        "member_of": f"/api/v1/artifacts/{found.pk}/members/",
    }
    return show(request, "console/members.html", content)


def _listed(found: Artifact, start: int) -> tuple[list[Member], str]:
    """The members, or why there are none to show: that is no fault of whoever asks."""
    try:
        with wiring.archive_turn(), wiring.opened_archive(found) as opened:
            listed = list_members(archive=opened.archive, start=start, limit=PAGE_MEMBERS + 1)
            return list(listed), ""
    except (NotAnArchive, ArchiveMalformed, ArchiveTooCostly, ArchivesBusy) as refusal:
        return [], refusal.title()


def _log(asked: Asked, answered: Answered) -> None:
    log_download(log=wiring.download_log(), asked=asked, answered=answered, now=timezone.now())


def _row(member: Member) -> dict[str, object]:
    """An archive's names are its maker's words; what cannot be written is shown as it is."""
    return {
        "path": member.path.encode(errors="backslashreplace").decode(),
        "target": member.target.encode(errors="backslashreplace").decode(),
        "kind": member.kind.value,
        "size_bytes": member.size_bytes,
        "why_not": member.why_not,
    }


def _count(text: str) -> int:
    found = int(text)
    if not 0 <= found <= MOST_MEMBERS:
        raise ValueError(text)
    return found
