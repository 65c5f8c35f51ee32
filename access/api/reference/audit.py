"""The audit trail, as the API reference describes it."""

from typing import Annotated, Final

from access.api.audit import FORMS, LINES, MOST_DIGITS, AuditOut
from artifacts.errors import OrganizationNotFound
from kernel.actor import PermissionMissing, Unauthenticated
from kernel.pages import PAGE_ROWS
from kernel.reference import (
    CURSOR,
    SINCE,
    UNTIL,
    Answer,
    Asker,
    Operation,
    Operations,
    Parameter,
    Reader,
)
from kernel.rest import MalformedRequest
from kernel.shapes import DIGEST_EXAMPLE, Count, Digest, Says, Time

_WHICH: Final = (
    Parameter("organization", str, "Only of this organization."),
    Parameter("actor", str, "Only by this actor."),
    Parameter("action", str, "Only of this action, whole: `project.create`."),
    Parameter("target", str, "Only about this target, whole."),
    Parameter("address", str, "Only what was asked for from this address."),
    SINCE,
    UNTIL,
)
_FORM: Final = Annotated[str, Says(enum=[*FORMS], default="jsonl")]
_NUMBER: Final = Annotated[int, Says(minimum=0, maximum=10**MOST_DIGITS - 1)]

OPERATIONS: Final[Operations] = {
    "GET /api/v1/audit": Operation(
        id="list_audit_records",
        reader=Reader.ADMINISTRATOR,
        summary="The audit trail, newest first, and its last seal",
        text="All of it for administrators of the instance, an organization's to its owners. Keep "
        "the seal's digest where this store is not.",
        parameters=(CURSOR, *_WHICH),
        answers=(
            Answer(
                200,
                "One page of at most 100.",
                {
                    "records": [AuditOut],
                    "last_seal": ({"number": Count, "sha256": Digest, "sealed_at": Time}, None),
                },
                {
                    "records": [
                        {
                            "id": 12,
                            "at": "2026-11-21T08:00:00Z",
                            "actor": "dora",
                            "action": "project.create",
                            "target": "acme/widget",
                            "facts": {"is_public": False},
                            "request_id": "5f1c6e0a9d3b4f7c",
                            "address": "192.0.2.7",
                        }
                    ],
                    "last_seal": {
                        "number": 3,
                        "sha256": DIGEST_EXAMPLE,
                        "sealed_at": "2026-11-21T07:00:00Z",
                    },
                },
                may_have=("Link",),
            ),
        ),
        refusals=(MalformedRequest, Unauthenticated, PermissionMissing, OrganizationNotFound),
    ),
    "GET /api/v1/audit/export": Operation(
        id="export_audit_records",
        reader=Reader.ADMINISTRATOR,
        summary="The audit trail as a file, oldest first",
        text="For the same people, and with the same filters. JSON lines have each seal with the "
        "digests of its rows, so that `manage.py audit verify --export` can verify the file alone; "
        "CSV is for people. A file without its last line, `end`, was cut off.",
        parameters=(
            *_WHICH,
            Parameter("format", _FORM, "JSON lines with proofs, or a table."),
        ),
        answers=(
            Answer(
                200,
                "The file.",
                str,
                '{"export":{"exported_at":"2026-11-21T08:00:00.000000+00:00","form":1,…}}\n…',
                media_type=LINES,
                headers=("Content-Disposition",),
                also=(FORMS["csv"],),
            ),
        ),
        refusals=(MalformedRequest, Unauthenticated, PermissionMissing, OrganizationNotFound),
    ),
    "GET /api/v1/audit/checkpoints": Operation(
        id="list_audit_checkpoints",
        reader=Reader.CONSUMER,
        summary="The signed checkpoints of the audit trail, oldest first",
        text="A Sigstore bundle a line: an in-toto statement with the digest of a seal. Signed "
        "daily; keep them where this store is not.",
        asker=Asker.ANYBODY,
        parameters=(Parameter("after", _NUMBER, "Only those with higher numbers: what is new."),),
        answers=(
            Answer(
                200,
                f"At most {PAGE_ROWS} of them.",
                str,
                '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",…}\n',
                media_type=LINES,
                may_have=("Link",),
            ),
        ),
        refusals=(MalformedRequest,),
    ),
}
