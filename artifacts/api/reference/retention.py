"""Retention policies, as the API reference describes them."""

from typing import Final

from artifacts.api.reference.projects import NEED_A_RIGHT, OF_PROJECT
from artifacts.api.retention import RetentionIn
from artifacts.api.retention_previews import PreviewIn
from artifacts.api.retention_shapes import (
    FreedDocument,
    PlanDocument,
    PlanItemDocument,
    PreviewDocument,
    PreviewItemDocument,
    RetentionPolicyDocument,
)
from artifacts.domain.fates import ListForgotten
from artifacts.domain.retention_document import MalformedRetentionPolicy
from artifacts.errors import (
    OrganizationNotFound,
    PolicyChanged,
    RetentionPlanNotFound,
    RetentionPlanStale,
    RetentionPreviewNotFound,
    RetentionPreviewStale,
    RetentionRunUnderWay,
)
from kernel.errors import Refusal
from kernel.reference import BODY, CURSOR, Answer, Body, Operation, Operations, Parameter, Reader
from kernel.rest import MalformedRequest
from kernel.shapes import Id

_CHANGED: Final = (
    "The newest policies of the store, the organization and the project hold together, and keep "
    "rules always win; an expire rule that `is_final` gives way only to those of its own level and "
    "higher ones. With `version` only the policy of that version is changed. What the new rules "
    "expire is not handed out from this second on."
)
_EXAMPLE: Final = {
    "document": {
        "keep": [{"name": "releases", "when": {"refs": ["refs/tags/v*"]}}],
        "expire": [
            {"name": "main-90d", "when": {"refs": ["refs/heads/main"]}, "after_days": 90},
            {"name": "branches", "when": {"refs": ["refs/heads/**"]}, "beyond_newest": 20},
        ],
    },
    "reason": "branches filled the bucket",
    "version": 3,
}


def _operations(
    address: str, name: str, whose: str, refusals: tuple[type[Refusal], ...]
) -> Operations:
    return {
        f"GET {address}": Operation(
            id=f"show_{name}",
            reader=Reader.ADMINISTRATOR,
            summary=f"The retention policy of {whose}",
            text="With those of higher levels, which hold here too.",
            answers=(Answer(200, "The policy that holds.", RetentionPolicyDocument),),
            refusals=refusals,
        ),
        f"PUT {address}": Operation(
            id=f"set_{name}",
            reader=Reader.ADMINISTRATOR,
            summary=f"Set the retention policy of {whose}",
            text=_CHANGED,
            body=Body(RetentionIn, _EXAMPLE),
            answers=(Answer(200, "The policy that holds now.", RetentionPolicyDocument),),
            refusals=(
                *BODY,
                *refusals,
                MalformedRetentionPolicy,
                PolicyChanged,
                RetentionPreviewNotFound,
                ListForgotten,
                RetentionPreviewStale,
            ),
        ),
        f"POST {address}/preview": Operation(
            id=f"preview_{name}",
            reader=Reader.ADMINISTRATOR,
            summary=f"What another retention policy of {whose} would change",
            text="Which artifacts would newly end, newly be kept, end sooner or later. It is "
            "written down; `PUT` with its id as `preview` saves this document, unless a policy has "
            "been set since.",
            body=Body(PreviewIn, {"document": _EXAMPLE["document"]}),
            answers=(Answer(201, "The preview.", PreviewDocument, headers=("Location",)),),
            refusals=(*BODY, *refusals, MalformedRetentionPolicy),
        ),
    }


_PREVIEW: Final = "/api/v1/retention-previews/{preview}"
_PLAN: Final = "/api/v1/retention-plans/{plan}"


def _plans(address: str, name: str, whose: str, refusals: tuple[type[Refusal], ...]) -> Operations:
    return {
        f"GET {address}": Operation(
            id=f"list_plans_of_{name}",
            reader=Reader.ADMINISTRATOR,
            summary=f"The retention plans of {whose}, newest first",
            answers=(Answer(200, "At most 20.", {"plans": [PlanDocument]}),),
            refusals=refusals,
        ),
        f"POST {address}": Operation(
            id=f"plan_retention_of_{name}",
            reader=Reader.ADMINISTRATOR,
            summary=f"Plan what retention would take away of {whose}",
            text="It is written down with every object, and changes nothing else. A plan over a "
            "million artifacts takes some seconds.",
            answers=(Answer(201, "The plan.", PlanDocument, headers=("Location",)),),
            refusals=refusals,
        ),
    }


OPERATIONS: Final[Operations] = {
    **_plans("/api/v1/retention-plans", "store", "the store", NEED_A_RIGHT),
    **_plans(
        "/api/v1/organizations/{organization}/retention-plans",
        "organization",
        "an organization",
        (OrganizationNotFound, *NEED_A_RIGHT),
    ),
    **_plans(
        "/api/v1/projects/{organization}/{project}/retention-plans",
        "project",
        "a project",
        OF_PROJECT,
    ),
    f"GET {_PLAN}": Operation(
        id="show_retention_plan",
        reader=Reader.ADMINISTRATOR,
        summary="A retention plan in numbers, and how far it has been applied",
        answers=(Answer(200, "The plan.", PlanDocument),),
        refusals=(RetentionPlanNotFound,),
    ),
    f"GET {_PLAN}/items": Operation(
        id="list_objects_of_retention_plan",
        reader=Reader.ADMINISTRATOR,
        summary="Every object of a retention plan, with the rule that ends it",
        parameters=(CURSOR,),
        answers=(
            Answer(
                200,
                "One page of at most 500.",
                {"plan": Id, "items": [PlanItemDocument]},
                may_have=("Link",),
            ),
        ),
        refusals=(RetentionPlanNotFound, ListForgotten, MalformedRequest),
    ),
    f"GET {_PLAN}/freed": Operation(
        id="show_what_retention_plan_freed",
        reader=Reader.ADMINISTRATOR,
        summary="What a retention plan has freed: planned, deleted and confirmed",
        text="Bytes count as confirmed when they were removed and the store, asked again, had them "
        "no more, also not as old versions. Until then it says where they wait, and how long.",
        answers=(Answer(200, "What became of its bytes.", FreedDocument),),
        refusals=(RetentionPlanNotFound,),
    ),
    f"POST {_PLAN}/apply": Operation(
        id="apply_retention_plan",
        reader=Reader.ADMINISTRATOR,
        summary="Apply a retention plan as it was seen",
        text="A worker goes on with it; the plan says how far it is. Again is harmless.",
        answers=(Answer(202, "It is being applied, or was.", PlanDocument),),
        refusals=(
            RetentionPlanNotFound,
            ListForgotten,
            RetentionPlanStale,
            RetentionRunUnderWay,
        ),
    ),
    f"POST {_PLAN}/cancel": Operation(
        id="cancel_retention_plan",
        reader=Reader.ADMINISTRATOR,
        summary="End the run of a retention plan",
        text="It ends behind the batch that is under way; what has been removed stays so.",
        answers=(Answer(200, "The plan.", PlanDocument),),
        refusals=(RetentionPlanNotFound,),
    ),
    f"GET {_PREVIEW}": Operation(
        id="show_retention_preview",
        reader=Reader.ADMINISTRATOR,
        summary="A preview of a retention policy, in numbers",
        answers=(Answer(200, "The preview.", PreviewDocument),),
        refusals=(RetentionPreviewNotFound,),
    ),
    f"GET {_PREVIEW}/items": Operation(
        id="list_objects_of_retention_preview",
        reader=Reader.ADMINISTRATOR,
        summary="Every artifact that would newly end or be kept, with the rule",
        parameters=(CURSOR, Parameter("effect", str, "Only `ends` or only `keeps`.")),
        answers=(
            Answer(
                200,
                "One page of at most 500.",
                {"preview": Id, "items": [PreviewItemDocument]},
                may_have=("Link",),
            ),
        ),
        refusals=(RetentionPreviewNotFound, ListForgotten, MalformedRequest),
    ),
    **_operations("/api/v1/retention-policy", "retention_of_store", "the store", NEED_A_RIGHT),
    **_operations(
        "/api/v1/organizations/{organization}/retention-policy",
        "retention_of_organization",
        "an organization",
        (OrganizationNotFound, *NEED_A_RIGHT),
    ),
    **_operations(
        "/api/v1/projects/{organization}/{project}/retention-policy",
        "retention_of_project",
        "a project",
        OF_PROJECT,
    ),
}
