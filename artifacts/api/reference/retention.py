"""Retention policies, as the API reference describes them."""

from typing import Final

from artifacts.api.reference.projects import NEED_A_RIGHT, OF_PROJECT
from artifacts.api.retention import RetentionIn
from artifacts.api.retention_shapes import RetentionPolicyDocument
from artifacts.domain.retention_document import MalformedRetentionPolicy
from artifacts.errors import OrganizationNotFound, PolicyChanged
from kernel.errors import Refusal
from kernel.reference import BODY, Answer, Body, Operation, Operations, Reader

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
            refusals=(*BODY, *refusals, MalformedRetentionPolicy, PolicyChanged),
        ),
    }


OPERATIONS: Final[Operations] = {
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
