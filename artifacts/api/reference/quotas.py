"""Use and quotas, as the API reference describes them."""

from typing import Final

from artifacts.api.quotas import OrganizationUsageDocument, QuotaIn, UsageDocument
from artifacts.domain.quota import QuotaMalformed
from artifacts.errors import OrganizationNotFound, ProjectNotFound
from kernel.actor import PermissionMissing, Unauthenticated
from kernel.reference import BODY, Answer, Body, Operation, Operations, Reader

_RIGHTS: Final = (Unauthenticated, PermissionMissing)
_ORGANIZATION: Final = "/api/v1/organizations/{organization}"
_PROJECT: Final = "/api/v1/projects/{organization}/{project}"
_LIMITS: Final = {
    "bytes": {"warn": 800_000_000_000, "soft": 900_000_000_000, "hard": 1_000_000_000_000},
    "files": {"hard": 5_000_000},
}
_TEXT: Final = (
    "Bytes are those of its own distinct digests. Above `soft` uploads are taken for a week, above "
    "`hard` they are refused as `quota-exceeded`. What is left out is not limited. Less than "
    "there is already refuses what comes and removes nothing."
)

OPERATIONS: Final[Operations] = {
    f"GET {_ORGANIZATION}/usage": Operation(
        id="show_organization_usage",
        reader=Reader.ADMINISTRATOR,
        summary="What an organization has, and may have",
        text="Measured when it is asked, with the projects that have the most.",
        answers=(Answer(200, "Use and quota.", OrganizationUsageDocument),),
        refusals=(*_RIGHTS, OrganizationNotFound),
    ),
    f"PUT {_ORGANIZATION}/quota": Operation(
        id="set_organization_quota",
        reader=Reader.ADMINISTRATOR,
        summary="Limit what an organization may have",
        text=f"Administrators of the instance do. {_TEXT}",
        body=Body(QuotaIn, _LIMITS),
        answers=(Answer(200, "Use and quota now.", UsageDocument),),
        refusals=(*BODY, *_RIGHTS, OrganizationNotFound, QuotaMalformed),
    ),
    f"GET {_PROJECT}/usage": Operation(
        id="show_project_usage",
        reader=Reader.ADMINISTRATOR,
        summary="What a project has, and may have",
        text="Measured when it is asked.",
        answers=(Answer(200, "Use and quota.", UsageDocument),),
        refusals=(*_RIGHTS, ProjectNotFound),
    ),
    f"PUT {_PROJECT}/quota": Operation(
        id="set_project_quota",
        reader=Reader.ADMINISTRATOR,
        summary="Limit what a project may have",
        text=f"Owners of its organization do. {_TEXT}",
        body=Body(QuotaIn, _LIMITS),
        answers=(Answer(200, "Use and quota now.", UsageDocument),),
        refusals=(*BODY, *_RIGHTS, ProjectNotFound, QuotaMalformed),
    ),
}
