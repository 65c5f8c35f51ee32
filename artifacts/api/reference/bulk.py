"""Acts on many artifacts, as the API reference describes them."""

from typing import Final

from artifacts.api.bulk_actions import BulkActionIn, StartIn
from artifacts.api.bulk_shapes import BulkActionDocument, BulkItemDocument
from artifacts.api.reference.projects import NEED_A_RIGHT, OF_PROJECT
from artifacts.domain.bulk import (
    BulkActionDiffers,
    BulkActionNotFound,
    MalformedSelection,
    Outcome,
)
from artifacts.domain.fates import ListForgotten
from artifacts.domain.reasons import ReasonMissing
from kernel.reference import BODY, CURSOR, Answer, Body, Operation, Operations, Parameter, Reader
from kernel.rest import MalformedRequest
from kernel.shapes import Id

_OF_PROJECT: Final = "/api/v1/projects/{organization}/{project}/bulk-actions"
_ACTION: Final = "/api/v1/bulk-actions/{action}"

OPERATIONS: Final[Operations] = {
    f"GET {_OF_PROJECT}": Operation(
        id="list_bulk_actions",
        reader=Reader.ADMINISTRATOR,
        summary="The acts on many artifacts of a project, newest first",
        parameters=(Parameter("artifact", Id, "Only those that were done to it."),),
        answers=(Answer(200, "At most 20.", {"bulk_actions": [BulkActionDocument]}),),
        refusals=(*OF_PROJECT, MalformedRequest),
    ),
    f"POST {_OF_PROJECT}": Operation(
        id="ask_bulk_action",
        reader=Reader.ADMINISTRATOR,
        summary="Ask for an act on many artifacts, and see it in numbers",
        text="Every artifact of the selection is written down with what would come of it; nothing "
        "is done. The selection has the conditions of retention rules, `stored_before`, "
        "`stored_after`, `idle_since` and, to restore, `plan`.",
        body=Body(BulkActionIn, {"act": "remove", "selection": {"paths": ["dist/**"]}}),
        answers=(Answer(201, "What would be done.", BulkActionDocument, headers=("Location",)),),
        refusals=(*BODY, *OF_PROJECT, MalformedSelection),
    ),
    f"GET {_ACTION}": Operation(
        id="show_bulk_action",
        reader=Reader.ADMINISTRATOR,
        summary="An act on many artifacts in numbers, and how far it is",
        answers=(Answer(200, "The bulk action.", BulkActionDocument),),
        refusals=(BulkActionNotFound,),
    ),
    f"GET {_ACTION}/items": Operation(
        id="list_artifacts_of_bulk_action",
        reader=Reader.ADMINISTRATOR,
        summary="Every artifact of a bulk action, with what came of it",
        parameters=(
            CURSOR,
            Parameter("outcome", Outcome, "Only those of which this came, or would come."),
        ),
        answers=(
            Answer(
                200,
                "One page of at most 500.",
                {"bulk_action": Id, "items": [BulkItemDocument]},
                may_have=("Link",),
            ),
        ),
        refusals=(BulkActionNotFound, ListForgotten, MalformedRequest),
    ),
    f"POST {_ACTION}/start": Operation(
        id="start_bulk_action",
        reader=Reader.ADMINISTRATOR,
        summary="Do to many artifacts what was shown",
        text="With the project's name, the number that was shown, and a reason. A worker does it; "
        "the bulk action says how far it is. Again is harmless.",
        body=Body(StartIn, {"project": "acme/widget", "artifacts": 990, "reason": "case 2026-17"}),
        answers=(Answer(202, "It is being done, or was.", BulkActionDocument),),
        refusals=(
            *BODY,
            *NEED_A_RIGHT,
            BulkActionNotFound,
            ListForgotten,
            BulkActionDiffers,
            ReasonMissing,
        ),
    ),
    f"POST {_ACTION}/cancel": Operation(
        id="cancel_bulk_action",
        reader=Reader.ADMINISTRATOR,
        summary="End an act on many artifacts",
        text="It ends behind the batch that is under way; what has been done stays so.",
        answers=(Answer(200, "The bulk action.", BulkActionDocument),),
        refusals=(*NEED_A_RIGHT, BulkActionNotFound),
    ),
}
