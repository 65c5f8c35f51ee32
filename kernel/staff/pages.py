"""Django admin for staff: windows without handles. Changes go through use cases, never `save`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Q
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from kernel.staff.lists import NewestFirst

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet


class ReadOnly(ModelAdmin):  # type: ignore[misc]  # the library has no types
    """Shows rows and changes none.

    `newest_first` is the order of its list: a time or number, falling, and the key where that is
    not unique; an index has to begin so. `shows` names parts of it, the first one shown first.
    """

    newest_first: ClassVar[Sequence[str]] = ("-pk",)
    shows: ClassVar[Mapping[str, Q]] = {}
    # Names what can be looked for: by an index, or not at all.
    search_help_text = ""
    show_full_result_count = False
    list_per_page = 50
    sortable_by = ()
    list_before_template = "staff/shows.html"
    actions: Sequence[str] = ()
    list_disable_select_all = True

    def get_changelist(self, _request: HttpRequest, **_others: Any) -> type[NewestFirst]:  # noqa: ANN401 - Django's shape
        return NewestFirst

    def look_for(self, _term: str) -> Q | None:
        """The rows that are meant by what somebody typed; None when it is nothing to look for."""
        return None

    def order_of(self, _term: str) -> Sequence[str]:
        """The order of what is found, as `newest_first`; empty terms too."""
        return self.newest_first

    def get_search_fields(self, _request: HttpRequest) -> Sequence[str]:
        # Django shows the field where this is not empty; `look_for` says what it finds.
        return ("pk",) if self.search_help_text else ()

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Model]", search_term: str
    ) -> "tuple[QuerySet[Model], bool]":
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = self.look_for(term)
        if wanted is None:
            self.message_user(request, f"Nothing is found by that: {self.search_help_text}.")
            return queryset.none(), False
        return queryset.filter(wanted), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:  # noqa: ANN401 - as above
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:  # noqa: ANN401 - as above
        return False
