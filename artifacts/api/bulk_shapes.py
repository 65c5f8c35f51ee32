"""The members of each JSON answer about acts on many artifacts; as `shapes`."""

from typing import Annotated, Any, TypedDict

from artifacts.api.retention_shapes import ListForgottenAt
from artifacts.domain.bulk import Act, BulkRunState, Outcome
from kernel.shapes import FilePath, Id, ProjectName, Says, SizeBytes, Time, Url

ActWord = Annotated[str, Says(enum=[act.value for act in Act])]
OutcomeWord = Annotated[str, Says(enum=[outcome.value for outcome in Outcome])]
Outcomes = Annotated[
    dict[str, int],
    Says(
        description="How many artifacts each outcome has: `done`, or why they stay as they are.",
        examples=[{"done": 990, "held": 10}],
    ),
]


class BulkRunDocument(TypedDict):
    """How far it has been done."""

    state: Annotated[str, Says(enum=[state.value for state in BulkRunState])]
    reason: Annotated[str, Says(examples=["case 2026-17"])]
    started_at: Time
    started_by: str
    ended_at: Time | None
    is_cancelling: bool
    looked_at: Annotated[int, Says(minimum=0, description="Artifacts that are behind it.")]
    outcomes: Outcomes
    done_bytes: SizeBytes


class BulkActionUrls(TypedDict):
    """Where to go from a bulk action."""

    self: Url
    items: Url
    start: Url
    cancel: Url


class BulkActionDocument(TypedDict):
    """An act on many artifacts, in numbers."""

    id: Id
    project: ProjectName
    act: ActWord
    selection: Annotated[dict[str, Any], Says(examples=[{"paths": ["dist/**"]}])]
    asked_at: Time
    asked_by: str
    expected: Outcomes
    artifacts: Annotated[
        int, Says(minimum=0, description="Of `expected`, those to which it would be done.")
    ]
    logical_bytes: SizeBytes
    run: BulkRunDocument | None
    list_forgotten_at: ListForgottenAt
    urls: BulkActionUrls


class BulkItemDocument(TypedDict):
    """One artifact of a bulk action."""

    artifact: Id
    path: FilePath
    ref: str
    size_bytes: SizeBytes
    expected: OutcomeWord
    outcome: Annotated[OutcomeWord | None, Says(description="Null until it was looked at.")]
    at: Time | None
