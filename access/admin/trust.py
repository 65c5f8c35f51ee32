"""Windows for staff: issuers and trusted publishers, and what can be done about them."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from access import wiring
from access.admin.forms import NewIssuerForm, NewPublisherForm
from access.models import Issuer, Token, TrustedPublisher
from access.queries import named_project
from access.usecases.add_issuer import add_issuer
from access.usecases.add_publisher import add_publisher
from access.usecases.disable_issuer import disable_issuer
from access.usecases.distrust_publisher import distrust_publisher
from access.usecases.enable_issuer import enable_issuer
from access.usecases.remove_publisher import remove_publisher
from kernel.counting import counted
from kernel.staff import shown
from kernel.staff.confirmed import Question, confirm, staff_actor
from kernel.staff.marks import handle
from kernel.staff.pages import ReadOnly


@admin.register(Issuer)
class IssuerAdmin(ReadOnly):
    """Whose identity tokens are exchanged."""

    newest_first = ("-id",)
    list_display = ("name", "url", "platform", "is_development", "disabled_at")
    actions_list = ("add_one",)
    actions_detail = ("disable", "enable")

    @handle("Add an issuer", "add-issuer")
    def add_one(self, request: HttpRequest) -> HttpResponse:
        form = NewIssuerForm(request.POST if request.method == "POST" else None)
        question = Question(
            "Add an issuer",
            (
                "From then on, projects can trust CI identities of this issuer.",
                "Its name stands in its builders' addresses for ever: it cannot be changed.",
            ),
            "Add the issuer",
            shown.rows_url("access_issuer"),
        )

        def do(_given: Any) -> str:  # noqa: ANN401 - the form has read it
            added = add_issuer(
                issuer=form.new_issuer(),
                rules=wiring.instance_rules(),
                actor=staff_actor(request),
                now=timezone.now(),
            )
            return f"{added.name} is an issuer now."

        return confirm(self, request, question, do, form)

    @handle("Switch off", "switch-off", is_grave=True)
    def disable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        issuer = Issuer.objects.get(pk=object_id)
        now = timezone.now()
        ended = Token.objects.filter(publisher__issuer=issuer, revoked_at=None, expires_at__gt=now)
        publishers = TrustedPublisher.objects.filter(issuer=issuer)
        question = Question(
            f"Switch {issuer} off",
            (
                f"{counted(ended)} upload tokens of its jobs end with the next request.",
                f"{counted(publishers)} trusted publishers of its can exchange no token.",
                "What was attested stays, and is judged by the trust map.",
            ),
            "Switch it off",
            shown.row_url("access_issuer", object_id),
            is_grave=True,
        )

        def do(_given: Any) -> str:  # noqa: ANN401 - there is no form
            disable_issuer(name=issuer.name, actor=staff_actor(request), now=now)
            return f"{issuer} is switched off."

        return confirm(self, request, question, do)

    @handle("Switch on", "switch-on")
    def enable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        issuer = Issuer.objects.get(pk=object_id)
        publishers = TrustedPublisher.objects.filter(issuer=issuer)
        question = Question(
            f"Switch {issuer} on",
            (
                f"{counted(publishers)} trusted publishers of its can exchange tokens again.",
                "Upload tokens that were ended stay ended.",
            ),
            "Switch it on",
            shown.row_url("access_issuer", object_id),
        )

        def do(_given: Any) -> str:  # noqa: ANN401 - there is no form
            enable_issuer(name=issuer.name, actor=staff_actor(request), now=timezone.now())
            return f"{issuer} is switched on."

        return confirm(self, request, question, do)


@admin.register(TrustedPublisher)
class PublisherAdmin(ReadOnly):
    """Which CI identities may upload to which project."""

    newest_first = ("-created_at", "id")
    list_display = (
        *("__str__", "project", "issuer", "repository", "pending_until", "last_used_at"),
    )
    list_select_related = ("project__organization", "issuer")
    search_help_text = "organization/project, or a publisher's id"
    actions_list = ("add_one",)
    actions_detail = ("remove", "distrust")

    def look_for(self, term: str) -> Q | None:
        key = shown.as_uuid(term)
        if key is not None:
            return Q(pk=key)
        project = named_project(term)
        return Q(project=project) if project is not None else None

    @handle("Add a publisher", "add-publisher")
    def add_one(self, request: HttpRequest) -> HttpResponse:
        form = NewPublisherForm(request.POST if request.method == "POST" else None)
        question = Question(
            "Trust a CI identity",
            (
                "Its jobs can exchange their identity tokens for upload tokens of this project.",
                "Its repository becomes a source that the project's policy accepts.",
            ),
            "Trust it",
            shown.rows_url("access_trustedpublisher"),
        )

        def do(_given: Any) -> str:  # noqa: ANN401 - the form has read it
            added = add_publisher(
                project=form.project(),
                publisher=form.new_publisher(),
                actor=staff_actor(request),
                now=timezone.now(),
            )
            return f"{added} may upload to {added.project}."

        return confirm(self, request, question, do, form)

    @handle("Remove", "remove", is_grave=True)
    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        one = self._one(object_id)
        question = Question(
            f"Remove {one}",
            (
                f"{self._tokens(one)} upload tokens of its jobs end with the next request.",
                "What it uploaded stays good, and its repository stays a source of the policy.",
            ),
            "Remove the publisher",
            shown.rows_url("access_trustedpublisher"),
        )

        def do(_given: Any) -> str:  # noqa: ANN401 - there is no form
            remove_publisher(
                project=one.project,
                publisher=one.pk,
                actor=staff_actor(request),
                now=timezone.now(),
            )
            return f"{one} is removed from {one.project}."

        return confirm(self, request, question, do)

    @handle("Distrust", "distrust", is_grave=True)
    def distrust(self, request: HttpRequest, object_id: str) -> HttpResponse:
        one = self._one(object_id)
        source = one.identity.source
        others = TrustedPublisher.objects.filter(project=one.project).select_related("issuer")
        same = [other for other in others if other.identity.source == source] or [one]
        question = Question(
            f"Distrust {one}",
            (
                f"{len(same)} publishers of its repository are removed from {one.project}.",
                f"{self._tokens(*same)} upload tokens of their jobs end with the next request.",
                "Every artifact that rests on this repository alone fails its verification now.",
                "An address for a download that was given out already lives at most 60 seconds.",
            ),
            "Distrust the repository",
            shown.rows_url("access_trustedpublisher"),
            is_grave=True,
        )

        def do(_given: Any) -> str:  # noqa: ANN401 - there is no form
            ended = distrust_publisher(
                project=one.project,
                publisher=one.pk,
                actor=staff_actor(request),
                now=timezone.now(),
            )
            return f"{ended} publishers of {one.project} are distrusted."

        return confirm(self, request, question, do)

    def _one(self, key: str) -> TrustedPublisher:
        found = TrustedPublisher.objects.select_related("issuer", "project__organization")
        return found.get(pk=key)

    def _tokens(self, *publishers: TrustedPublisher) -> str:
        live = Q(revoked_at=None, expires_at__gt=timezone.now())
        return counted(Token.objects.filter(live, publisher__in=publishers))
