"""Quotas: what a place has against what it may have, and setting it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from artifacts.domain.quota import SOFT_GRACE, Quota, Use
from artifacts.domain.retention import Level
from artifacts.queries import visible_organization, visible_project
from artifacts.queries.retention_plans import plan_that_frees_most
from artifacts.queries.storage import newest_storage
from artifacts.queries.use import Subject, counted_use, limited_parts
from artifacts.usecases.set_quota import set_organization_quota, set_project_quota
from console.administration import administered, show_place
from console.confirming import Answers, answers
from console.limits import Form, form_of, read, refuses, standing
from console.views.storage import use_of
from kernel.actor import Permission
from kernel.audit.asking import because
from kernel.rest import MalformedRequest

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from console.administration import Place
    from kernel.actor import Actor

MOST_PARTS: Final = 200
MOST_CHARACTERS: Final = 40


@require_http_methods(["GET", "HEAD", "POST"])
@administered
def quotas(request: HttpRequest, actor: Actor, place: Place) -> HttpResponse:
    """The place's own quota and those below it; a form sets its own, for whoever may."""
    subject = _subject(actor, place)
    if subject is None:
        return _show(request, actor, place, None)
    if request.method != "POST":
        return _show(request, actor, place, subject)
    form = read(_written(request))
    given = answers(request, name=place.holder.name)
    if form.is_wrong:
        return _show(request, actor, place, subject, form=form)
    if not given.is_named and refuses(form.quota, _use(subject)):
        is_first = "asked" not in request.POST
        given = Answers(place.holder.name, reason=given.reason) if is_first else given
        return _show(request, actor, place, subject, form=form, given=given)
    with because(given.reason):
        _set(actor, place, form.quota)
    return HttpResponseRedirect(f"{place.url('quotas')}?set=1")


def _show(
    request: HttpRequest,
    actor: Actor,
    place: Place,
    subject: Subject | None,
    *,
    form: Form | None = None,
    given: Answers | None = None,
) -> HttpResponse:
    """The page; `form` is one that was not taken, `given` asks for the name before it is."""
    content: dict[str, Any] = {
        "subject": subject,
        "below": [
            (one, use, standing(Quota.parse(one.quota), use), Quota.parse(one.quota))
            for one, use in _below(place)
        ],
        "part": "organization" if subject is None else "project",
        "most_parts": MOST_PARTS,
        "is_set": "set" in request.GET,
        "plan": plan_that_frees_most(place.holder),
        "plans_url": place.url("plans"),
    }
    if subject is not None:
        quota, use = Quota.parse(subject.quota), _use(subject)
        since = subject.over_soft_since
        content |= {
            "use": use,
            "quota": quota,
            "standing": standing(quota, use),
            "refused_from": since + SOFT_GRACE if since is not None else None,
            "form": form or form_of(quota),
            "answers": given,
            "consequences": refuses(form.quota, use) if given is not None and form else (),
            "can_set": _may_set(actor, place),
        }
    status = 422 if form is not None and (form.is_wrong or (given and given.is_sent)) else 200
    return show_place(
        request,
        "console/administration/quotas.html",
        place,
        content,
        tab="quotas",
        status=status,
    )


def _subject(actor: Actor, place: Place) -> Subject | None:
    """Who has the quota; None of the store itself, which has none."""
    match place.holder.level:
        case Level.ORGANIZATION:
            return visible_organization(actor=actor, **place.names)
        case Level.PROJECT:
            return visible_project(actor=actor, **place.names)
        case _:
            return None


def _below(place: Place) -> list[tuple[Subject, Use]]:
    if place.holder.level is Level.PROJECT:
        return []
    return limited_parts(place.holder.organization, most=MOST_PARTS)


def _use(subject: Subject) -> Use:
    """Counted where there is a quota, else as it was measured last: nobody waits for a count."""
    if subject.quota is not None:
        return counted_use(subject)
    measured = newest_storage(subject.pk)
    return use_of(measured) if measured is not None else Use()


def _may_set(actor: Actor, place: Place) -> bool:
    """As the use case will say."""
    organization = place.holder.organization
    if place.holder.level is not Level.PROJECT or organization is None:
        return actor.may(Permission.ADMINISTER, project=None)
    return actor.may_in(Permission.OWN, organization=organization)


def _set(actor: Actor, place: Place, quota: Quota | None) -> None:
    now = timezone.now()
    if place.holder.level is Level.PROJECT:
        set_project_quota(actor=actor, **place.names, quota=quota, now=now)
    else:
        set_organization_quota(actor=actor, **place.names, quota=quota, now=now)


def _written(request: HttpRequest) -> dict[str, str]:
    """What stands in the form's fields.

    Raises:
        MalformedRequest: no form of ours sends that.
    """
    written = {one.name: request.POST.get(one.name, "").strip() for one in form_of(None).fields}
    if any("\x00" in value or len(value) > MOST_CHARACTERS for value in written.values()):
        raise MalformedRequest(expected=f"amounts of at most {MOST_CHARACTERS} characters")
    return written
