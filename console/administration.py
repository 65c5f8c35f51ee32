"""The frame of the administrators' pages: of which place one is, and which pages it has.

A place is the store, an organization or a project; its owners come in (of the store, its
administrators). A page of TABS is one view for all three, and `urls.administered` gives it its
addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec

from django.http import HttpResponseRedirect
from django.urls import reverse

from artifacts.domain.retention import Level
from artifacts.queries import visible_organization, visible_project
from artifacts.queries.retention import Holder
from console.answers import actor_of, login_url, page, show
from kernel.actor import Permission, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from kernel.actor import Actor

Given = ParamSpec("Given")


@dataclass(frozen=True, slots=True)
class Tab:
    """A page that places of these levels have; `name` is the last word of its address."""

    name: str
    label: str
    levels: frozenset[Level] = frozenset({Level.INSTANCE, Level.ORGANIZATION, Level.PROJECT})


_STORE: Final = frozenset({Level.INSTANCE})
# In the order in which they stand: what there is, what shall hold, what happens, what happened.
TABS: Final = (
    Tab("storage", "Storage"),
    Tab("quotas", "Quotas"),
    Tab("retention", "Retention"),
    Tab("plans", "Plans"),
    Tab("holds", "Holds"),
    Tab("trash", "Trash", frozenset({Level.PROJECT})),
    Tab("bulk", "Many at once", frozenset({Level.PROJECT})),
    Tab("reconciliation", "Reconciliation", _STORE),
    Tab("signing", "Signing", _STORE),
    Tab("audit", "Audit", frozenset({Level.INSTANCE, Level.ORGANIZATION})),
)


@dataclass(frozen=True, slots=True)
class Place:
    """What is administered: `names` are its names in addresses, `above` what it is a part of.

    `owned` are the places above it that whoever asks may administer as well, the highest first.
    """

    holder: Holder
    names: Mapping[str, str]
    above: tuple[Holder, ...] = ()
    owned: tuple[Place, ...] = ()

    @classmethod
    def of(cls, holder: Holder, *, actor: Actor) -> Place:
        """The holder's place, as the actor finds it."""
        if holder.level is Level.INSTANCE:
            return cls(holder, {})
        above = [Holder.instance()]
        names = dict(zip(("organization", "project"), holder.name.split("/"), strict=False))
        if holder.level is Level.PROJECT:
            if holder.organization is None:
                raise AssertionError("a project is an organization's")
            name = names["organization"]
            above.append(Holder(Level.ORGANIZATION, holder.organization, name, holder.organization))
        owned = tuple(cls.of(one, actor=actor) for one in above if _owns(actor, one))
        return cls(holder, names, tuple(above), owned)

    def url(self, page: str) -> str:
        """Where this page of the place is."""
        return reverse(f"administer_{page.replace('/', '_')}", kwargs=dict(self.names))

    @property
    def title(self) -> str:
        """As people call it, without what it is a part of."""
        return self.holder.name.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Link:
    """A way to another page; `is_here` is the one that is shown."""

    label: str
    url: str
    is_here: bool = False


def administers_something(actor: Actor) -> bool:
    """Whether any of these pages is for the actor."""
    granted = {one.permission for one in actor.grants}
    granted |= {one.permission for one in actor.organization_grants}
    return Permission.OWN in granted or actor.may(Permission.ADMINISTER, project=None)


def require_some(actor: Actor) -> None:
    """Refuse whom none of these pages is for.

    Raises:
        Unauthenticated, PermissionMissing: nobody, or nobody who decides about anything.
    """
    if not administers_something(actor):
        actor.require(Permission.ADMINISTER, project=None)


def members_only(
    view: Callable[Concatenate[HttpRequest, Actor, Given], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, Given], HttpResponseBase]:
    """A page that asks who is there: nobody is led to the login where it needs somebody."""

    @wraps(view)
    def answer(
        request: HttpRequest, /, *args: Given.args, **kwargs: Given.kwargs
    ) -> HttpResponseBase:
        try:
            return view(request, actor_of(request), *args, **kwargs)
        except Unauthenticated:
            return HttpResponseRedirect(login_url(request))

    return page(answer)


def administered(
    view: Callable[[HttpRequest, Actor, Place], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """A page of a place, for those who may decide about it.

    To others the place is absent, or forbidden where they see it: as in the API.
    """

    @members_only
    @wraps(view)
    def answer(request: HttpRequest, actor: Actor, /, **names: str) -> HttpResponseBase:
        holder = _named(actor, names)
        holder.require_owned(actor)
        return view(request, actor, Place.of(holder, actor=actor))

    return answer


def show_place(
    request: HttpRequest,
    template: str,
    place: Place,
    content: Mapping[str, Any],
    *,
    tab: str,
    status: int = 200,
) -> HttpResponse:
    """A page of the place, with the ways to its other pages and to the same page above it."""
    there = [one for one in TABS if place.holder.level in one.levels]
    [here] = [one for one in TABS if one.name == tab]
    frame = {
        "place": place,
        "tab": here,
        "tabs": [Link(one.label, place.url(one.name), one is here) for one in there],
        "above": [
            Link(one.title, one.url(tab)) for one in place.owned if one.holder.level in here.levels
        ],
    }
    return show(request, template, {**frame, **content}, status=status)


def _named(actor: Actor, names: Mapping[str, str]) -> Holder:
    if "project" in names:
        return Holder.of_project(visible_project(actor=actor, **names))
    if "organization" in names:
        return Holder.of_organization(visible_organization(actor=actor, **names))
    return Holder.instance()


def _owns(actor: Actor, holder: Holder) -> bool:
    if holder.level is Level.ORGANIZATION:
        return actor.may_in(Permission.OWN, organization=holder.scope)
    return actor.may(Permission.ADMINISTER, project=None)
