"""The life of an artifact as those see it who decide about it: what happened, and what they can do.

It tells also of what is in the trash, and of what is gone for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from artifacts.queries import visible_project
from artifacts.queries.ending import clock_of
from artifacts.queries.expiry import expiry_of
from artifacts.queries.lives import happenings, life_of
from artifacts.queries.positions import decode_cursor, encode_cursor, moment
from artifacts.queries.retention import names_of_scopes
from artifacts.queries.tombstones import evidence_kept
from artifacts.queries.trash import plans_in_trash, trash_after
from artifacts.usecases.quarantine_artifact import quarantine_artifact, release_artifact
from artifacts.usecases.remove_artifact import remove_artifact
from artifacts.usecases.restore_artifact import Restoring, restore_trashed, unyank_artifact
from artifacts.usecases.yank_artifact import yank_artifact
from artifacts.wiring import evidence_life, trash_window
from console.administration import Place, administered, members_only, show_place
from console.answers import show
from console.asking import asked, pages
from console.confirming import answers
from console.lifetime import sentence_of, sentence_of_evidence
from console.living import REMOVE, RESTORE, actions, told
from console.views.builds import title_of
from kernel.digest import Sha256
from kernel.rest import MalformedRequest
from provenance.queries import attestations_of

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from artifacts.queries.lives import Life
    from console.living import Action
    from kernel.actor import Actor
    from provenance.models import Attestation

PAGE_TRASH: Final = 50
_OF_LIVE: Final = {
    "yank": yank_artifact,
    "unyank": unyank_artifact,
    "quarantine": quarantine_artifact,
    "release": release_artifact,
}


@require_http_methods(["GET", "HEAD", "POST"])
@members_only
def history(request: HttpRequest, actor: Actor, artifact: UUID) -> HttpResponse:
    """All that is known of it; a form does one of the things that can be done."""
    life = life_of(actor=actor, artifact=artifact)
    offered = actions(life)
    wanted = _wanted(request, offered)
    given = answers(request, name=life.path if wanted is not None and wanted.asks_name else "")
    if wanted is not None and given.is_complete:
        _do(wanted, life, reason=given.reason, actor=actor)
        return HttpResponseRedirect(reverse("artifact_history", args=[artifact]))
    now, live = timezone.now(), life.live
    expiry = expiry_of(live, now=now) if live is not None else None
    found = happenings(life, expiry=expiry, now=now)
    names = names_of_scopes(
        {one.facts["scope"] for one in found if one.facts.get("scope") is not None}
    )
    content = {
        "life": life,
        "project": life.project,
        "build": life.build,
        "build_title": title_of(life.build),
        "artifact": live,
        "moments": [told(one, names) for one in found],
        "expiry": sentence_of(expiry, live, now=now) if live and expiry else "",
        "is_expired": expiry is not None and expiry.is_expired(now=now),
        "attestations": _kept(life),
        "evidence": _evidence(life, now=now),
        "actions": offered,
        "wanted": wanted,
        "answers": given,
    }
    status = 422 if given.is_sent else 200
    return show(request, "console/administration/history.html", content, status=status)


@require_safe
@administered
def trash(request: HttpRequest, actor: Actor, place: Place) -> HttpResponse:
    """What was removed from the project and can be restored, what went last first."""
    project = visible_project(actor=actor, **place.names)
    given = asked(request, "cursor")
    position = decode_cursor(given.get("cursor"), moment, UUID)
    found = trash_after(
        (position[0], position[1]) if position is not None else None,
        project=project,
        limit=PAGE_TRASH + 1,
    )
    kept = found[:PAGE_TRASH]
    more = encode_cursor(kept[-1].removed_at.isoformat(), kept[-1].pk) if kept else ""
    content = {
        "trash": kept,
        "plans": plans_in_trash(project),
        "restore": place.url("bulk"),
        "days": trash_window().days,
        "pages": pages(given, more if len(found) > PAGE_TRASH else None),
    }
    return show_place(request, "console/administration/trash.html", place, content, tab="trash")


def _evidence(life: Life, *, now: datetime) -> str:
    """Until when the bundles about what is gone are kept; empty where there is none."""
    if life.tombstone is None:
        return ""
    clock = clock_of(life.build.pk, life=evidence_life(), now=now)
    return sentence_of_evidence(clock) if clock is not None else ""


def _kept(life: Life) -> list[Attestation]:
    if life.tombstone is not None:
        return evidence_kept(life.tombstone)
    return attestations_of(
        scope=life.project.scope, build=life.build.pk, digest=Sha256(life.sha256)
    )


def _wanted(request: HttpRequest, offered: tuple[Action, ...]) -> Action | None:
    """What the form asks for, of what can be done now.

    Raises:
        MalformedRequest: that cannot be done with it, or not any more.
    """
    if request.method != "POST":
        return None
    do = request.POST.get("do", "")
    wanted = next((one for one in offered if one.do == do), None)
    if wanted is None:
        raise MalformedRequest(parameter="do", expected=[one.do for one in offered])
    return wanted


def _do(action: Action, life: Life, *, reason: str, actor: Actor) -> None:
    now = timezone.now()
    if action is RESTORE and life.trashed is not None:
        restoring = Restoring(reason, trash_window())
        restore_trashed(trashed=life.trashed, restoring=restoring, actor=actor, now=now)
    elif action is REMOVE and life.live is not None:
        remove_artifact(
            artifact=life.live, reason=reason, trash=trash_window(), actor=actor, now=now
        )
    elif life.live is not None:
        _OF_LIVE[action.do](artifact=life.live, reason=reason, actor=actor, now=now)
