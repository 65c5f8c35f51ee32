"""Long lists for staff: newest first, each page behind the last row of the one before.

Nothing is counted and no row is skipped over, so that the thousandth page costs what the first
does (docs/adr/0023). How many rows there are is the database's own estimate.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from unfold.views import ChangeList

from kernel.counting import estimated_rows

BEHIND: Final = "behind"
SHOW: Final = "show"
ALL: Final = "all"


class NewestFirst(ChangeList):  # type: ignore[misc]  # the library has no types
    """One page of a list. Its admin says `newest_first` and which rows `shows` has by name."""

    estimate: int | None = None
    older: str = ""
    newest: str = ""
    page_template = "staff/older.html"

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:  # noqa: ANN401 - Django's shape
        left: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in left.items() if name not in (BEHIND, SHOW)}

    def get_ordering(self, _request: HttpRequest, _queryset: Any) -> Sequence[str]:  # noqa: ANN401 - as above
        order: Sequence[str] = self.model_admin.order_of(self.query)
        return order

    def get_queryset(self, request: HttpRequest, *others: Any) -> Any:  # noqa: ANN401 - as above
        found = super().get_queryset(request, *others)
        return found.filter(self.model_admin.shows.get(self.shown(request), Q()))

    def shown(self, request: HttpRequest) -> str:
        """Which of the admin's `shows` is asked for; the first one where none is."""
        asked = str(request.GET.get(SHOW, ""))
        shows: Mapping[str, Q] = self.model_admin.shows
        return asked if asked in shows else next(iter(shows), ALL)

    def get_results(self, request: HttpRequest) -> None:
        size = self.list_per_page
        behind = request.GET.get(BEHIND)
        found = self.queryset if behind is None else self._behind(behind)
        rows = list(found[: size + 1])
        self.result_list = rows[:size]
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        self.paginator = _Page(self.page_template, size)
        if len(rows) > size:
            self.older = self.get_query_string({BEHIND: str(rows[size - 1].pk)})
        if behind is not None:
            self.newest = self.get_query_string(remove=[BEHIND])
        self.views = [
            (name, self.get_query_string({SHOW: name}, [BEHIND]), name == self.shown(request))
            for name in self.model_admin.shows
        ]
        if not self.query and not self.filter_params.keys() - {SHOW, BEHIND}:
            self.estimate = estimated_rows(self.model) if self.shown(request) == ALL else None

    def _behind(self, row: str) -> Any:  # noqa: ANN401 - as above
        """The rows after this one; the condition begins where an index can."""
        order = self.model_admin.order_of(self.query)
        try:
            last = self.root_queryset.filter(pk=row).values_list(order[0][1:], "pk").first()
        except (ValidationError, ValueError) as error:
            raise IncorrectLookupParameters from error
        if last is None:
            return self.queryset
        field, (value, pk) = order[0][1:], last
        if len(order) == 1:
            return self.queryset.filter(**{f"{field}__lt": value})
        older = Q(**{f"{field}__lt": value})
        same = Q(**{field: value, "pk__gt": pk})
        return self.queryset.filter(Q(**{f"{field}__lte": value}) & (older | same))


class _Page:
    """What the page's template asks of a paginator."""

    def __init__(self, template_name: str, per_page: int) -> None:
        self.template_name = template_name
        self.per_page = per_page
