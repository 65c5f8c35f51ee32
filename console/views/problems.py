"""The problem codes: what each one means, for the `type` of a problem document."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from console.answers import page, page_or_document, show
from console.explanations import codes, explanation
from kernel.problems import STATUS
from kernel.rest import NotFound


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """Every problem code with its status and sentence."""
    rows = [(code, STATUS[one.kind], one.title()) for code, one in codes().items()]
    return show(request, "console/problems.html", {"rows": rows})


@require_safe
@page
def problem(request: HttpRequest, code: str) -> HttpResponse:
    """What happened and what to do."""
    known = codes()
    if code not in known:
        # Programs come here too, behind the `type` of a problem document.
        return page_or_document(request, NotFound())
    content = {
        "code": code,
        "status": STATUS[known[code].kind],
        "title": known[code].title(),
        "explanation": explanation(code),
    }
    return show(request, "console/problem.html", content)
