"""A build: where it comes from, who ran it, its files, and why it waits or was refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils import timezone
from django.views.decorators.http import require_safe

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.visibility import require_read
from artifacts.queries import visible_build
from artifacts.queries.finding import files_of
from artifacts.queries.positions import decode_cursor, encode_cursor, safe_path
from console.answers import actor_of, page, show
from console.asking import asked, pages
from console.explanations import codes
from console.job import Facts, witnessed_run, witnessed_source
from console.story import Mark
from console.words import CONFIRMATION, level_name
from kernel.actor import Permission
from provenance.domain.build_facts import Witnessed
from provenance.domain.builders import builder_id, mode_of
from provenance.queries import RequestStatus, request_statuses, trust_map, trust_state
from provenance.wiring import judge

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from artifacts.models import Build

PAGE_FILES: Final = 50
# What `RequestStatus` counts as over; an answer of the platform makes of the facts another builder.
_ATTESTED, _CONFIRMED = "attested", "confirmed"


@dataclass(frozen=True, slots=True)
class Group:
    """Files with the same witnessed facts: who brought them, and what they may claim."""

    source: Facts
    run: Facts
    confirmation: str
    builder: str
    level: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to the build, or is to happen."""

    mark: Mark
    sentence: str
    at: datetime | None
    code: str = ""


@require_safe
@page
def build(request: HttpRequest, build: UUID) -> HttpResponse:
    """All of it but its files' bytes."""
    actor = actor_of(request)
    found = visible_build(actor=actor, build=build)
    require_read(actor, project=found.project_id, is_public=found.project.is_public)
    given = asked(request, "cursor", "prefix")
    after = decode_cursor(given.get("cursor"), safe_path)
    files = files_of(
        found,
        prefix=given.get("prefix", ""),
        after=after[0] if after is not None else "",
        limit=PAGE_FILES + 1,
        now=timezone.now(),
    )
    shown = files[:PAGE_FILES]
    statuses = request_statuses(build=found.pk)
    content = {
        "project": found.project,
        "build": found,
        "build_title": title_of(found),
        "groups": _groups(statuses),
        "moments": _moments(found, statuses),
        "files": shown,
        "given": given,
        "pages": pages(given, encode_cursor(shown[-1].path) if len(files) > PAGE_FILES else None),
        "refused": _refused(found.refused),
        "is_owned": actor.may(Permission.OWN, project=found.project_id),
    }
    return show(request, "console/build.html", content)


def title_of(build: Build) -> str:
    """What people call it: its name, else the beginning of its id."""
    return f"Build {build.name}" if build.name else f"Build {str(build.pk)[:8]}"


def _groups(statuses: list[RequestStatus]) -> list[Group]:
    granted = trust_map(
        version=trust_state().trust_map_version, key_is_shared=judge().key_is_shared
    )
    groups = []
    for status in statuses:
        facts = Witnessed.from_json(status.facts) if status.facts is not None else None
        builder = _builder(facts, status) if facts is not None else ""
        groups.append(
            Group(
                source=witnessed_source(facts) if facts is not None else (),
                run=witnessed_run(facts) if facts is not None else (),
                confirmation=CONFIRMATION[status.confirmation],
                builder=builder,
                level=level_name(granted.most(builder)),
            )
        )
    return groups


def _builder(facts: Witnessed, status: RequestStatus) -> str:
    """The builder that the statement names; before it is signed nobody knows which it will be."""
    if status.state != _ATTESTED:
        return ""
    known = replace(facts, confirmed=status.confirmation == _CONFIRMED)
    return builder_id(facts.issuer_name, mode_of(known), base_url=settings.PUBLIC_URL)


def _moments(build: Build, statuses: list[RequestStatus]) -> list[Moment]:
    moments = [
        Moment(Mark.PASSED, "Opened", build.opened_at),
        Moment(Mark.PASSED, "Sealed: its files are fixed", build.sealed_at),
    ]
    for status in statuses:
        if code := _code(status.last_error):
            times = "once" if status.attempts == 1 else f"{status.attempts} times"
            attempts = f"Signing was tried {times}; the last reason"
            moments.append(Moment(Mark.FAILED, attempts, None, code))
    match BuildState(build.state):
        case BuildState.PUBLISHED:
            moments.append(Moment(Mark.PASSED, "Signed and published", build.published_at))
        case BuildState.REFUSED:
            moments.append(Moment(Mark.FAILED, "Refused, for ever", None))
        case _:
            pending = [s.next_attempt_at for s in statuses if s.state != _ATTESTED]
            moments.append(Moment(Mark.WAITING, "Next attempt to sign", min(pending, default=None)))
    return moments


def _refused(reason: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The reason of a refusal, with its sentence where the code is one of this store's."""
    if reason is None:
        return None
    code = str(reason.get("code", ""))
    known = codes().get(code)
    facts = [(name, value) for name, value in reason.items() if name != "code" and value != ""]
    return {"code": code, "title": known.title() if known is not None else "", "facts": facts}


def _code(error: Mapping[str, object] | None) -> str:
    """The reason's code, not the signer's inner words."""
    code = str((error or {}).get("code", ""))
    return code if code in codes() else ""
