"""The signing queue, for the instance's administrators: what waits, why, and until when."""

from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import request_document, rfc3339
from artifacts.api.links import root
from artifacts.api.signing_shapes import (
    SigningQueueDocument,
    WaitingReasonDocument,
    WaitingRequestDocument,
)
from kernel.actor import Permission
from kernel.native import NativeView
from kernel.pages import PAGE_ROWS
from kernel.rest import actor_of
from provenance.queries import WaitingReason, WaitingRequest, waiting_reasons, waiting_requests


class SigningQueue(NativeView):
    """Every request that waits, summed up by its reason, and those that have waited longest."""

    def get(self, request: Request) -> Response:
        """Show it as it stands now."""
        actor_of(request).require(Permission.ADMINISTER, project=None)
        reasons = waiting_reasons()
        queue: SigningQueueDocument = {
            "waiting": sum(one.count for one in reasons),
            "reasons": [_reason(one) for one in reasons],
            "oldest": [_waiting(one) for one in waiting_requests(size=PAGE_ROWS)],
        }
        return Response(queue)


def _reason(found: WaitingReason) -> WaitingReasonDocument:
    return {
        "last_error": found.last_error,
        "service": found.service,
        "reason": found.reason,
        "count": found.count,
        "next_attempt_at": rfc3339(found.next_attempt_at),
    }


def _waiting(found: WaitingRequest) -> WaitingRequestDocument:
    return {
        "project": str(found.project),
        "build": f"{root()}/builds/{found.build}" if found.build is not None else None,
        "requested_at": rfc3339(found.requested_at),
        **request_document(found.status),
    }
