"""The embedded logs' checkpoints and consistency proofs, so that anybody can watch for a rewrite.

Leaves are not served: they hold certificates that name private repositories. Whoever has a bundle
has its leaf, and checks that every later checkpoint still begins with the tree that it was in.
"""

import base64

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from kernel.errors import Refusal
from kernel.rest import MalformedRequest, problem_response
from provenance import wiring
from provenance.queries import log_trees

MOST_DIGITS = 15


@require_safe
def trees(_request: HttpRequest) -> JsonResponse:
    """Every tree with its origin and size, retired ones included."""
    listed = [
        {
            "tree": tree.name,
            "kind": tree.kind,
            "origin": tree.origin,
            "size": tree.size,
            "retired": tree.retired_at is not None,
            "checkpoint": f"/log/{tree.name}/checkpoint",
        }
        for tree in log_trees()
    ]
    return JsonResponse({"trees": listed})


@require_safe
def checkpoint(request: HttpRequest, tree: str) -> HttpResponse:
    """The newest checkpoint, exactly as it was signed (C2SP tlog-checkpoint)."""
    try:
        note = wiring.log().checkpoint(tree)
    except Refusal as refusal:
        return problem_response(refusal, request)
    return HttpResponse(note, content_type="text/plain; charset=utf-8")


@require_safe
def consistency(request: HttpRequest, tree: str) -> HttpResponse:
    """The proof that the tree of `second` leaves begins with that of `first` (RFC 9162, 2.1.4)."""
    sizes = [request.GET.get(name, "") for name in ("first", "second")]
    if not all(size.isascii() and size.isdigit() and len(size) <= MOST_DIGITS for size in sizes):
        expected = "?first=<size>&second=<size>"
        return problem_response(MalformedRequest(expected=expected, found=sizes), request)
    first, second = map(int, sizes)
    try:
        proof = wiring.log().consistency_proof(tree, first, second)
    except Refusal as refusal:
        return problem_response(refusal, request)
    hashes = [base64.b64encode(one).decode() for one in proof]
    return JsonResponse({"tree": tree, "first": first, "second": second, "hashes": hashes})
