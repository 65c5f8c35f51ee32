"""The members of each JSON answer about retention, and what they mean; as `shapes`."""

from typing import Annotated, Any, TypedDict

from artifacts.domain.retention import Level
from artifacts.domain.retention_limits import Exceeded
from artifacts.queries.freed import Whereabouts
from kernel.shapes import Count, FilePath, Id, Says, SizeBytes, Time, Url

LevelOfPolicy = Annotated[str, Says(enum=[level.word for level in Level])]
RetentionRules = Annotated[
    dict[str, Any],
    Says(
        description="Keep rules and expire rules; keep always wins.",
        examples=[
            {
                "keep": [{"name": "releases", "when": {"refs": ["refs/tags/v*"]}}],
                "expire": [{"name": "old", "after_days": 90}],
            }
        ],
    ),
]

ListForgottenAt = Annotated[
    Time | None,
    Says(
        description="When its list was forgotten, because nobody used it in time; null while it "
        "is kept."
    ),
]


class CitedRuleDocument(TypedDict):
    """A rule of a retention policy, and whose it is."""

    name: Annotated[str, Says(examples=["main-90d"])]
    level: LevelOfPolicy
    of: Annotated[
        str,
        Says(
            description="The organization, `organization/project`, `this store` or `its job`.",
            examples=["acme"],
        ),
    ]
    version: Annotated[int, Says(minimum=0, description="Of that policy.")]


class ExpiryDocument(TypedDict):
    """When an artifact expires, by which rule, and which rule keeps it longer than that one."""

    expires_at: Annotated[
        Time | None,
        Says(description="From then on its bytes are not handed out; null while it is kept."),
    ]
    rule: CitedRuleDocument | None
    kept_by: CitedRuleDocument | None


class PolicyAbove(TypedDict):
    """A retention policy that holds here too; version 0 and nothing in it where there is none."""

    level: LevelOfPolicy
    of: Annotated[str, Says(examples=["acme"])]
    version: Annotated[int, Says(minimum=0, description="Raised by each change.")]
    document: RetentionRules


class RetentionPolicyDocument(PolicyAbove):
    """A retention policy, and those of higher levels that hold together with it."""

    set_at: Time | None
    set_by: str
    above: list[PolicyAbove]


class PlanRuleDocument(TypedDict):
    """What a rule does in a plan."""

    outcome: Annotated[
        str,
        Says(
            enum=["ends", "keeps", "waits", "stays", "sooner", "later", "same"],
            description="It ends these now, keeps them from their end, or will end them later; "
            "`stays` is of those that no rule ends. In a preview, what it changes for them.",
        ),
    ]
    name: str | None
    level: LevelOfPolicy | None
    version: int | None
    artifacts: Count
    logical_bytes: SizeBytes


class RunDocument(TypedDict):
    """How far a plan has been applied."""

    state: Annotated[str, Says(enum=["running", "done", "cancelled", "stale"])]
    started_at: Time
    started_by: str
    ended_at: Time | None
    is_cancelling: bool
    removed_artifacts: Count
    removed_bytes: SizeBytes
    spared_artifacts: Annotated[
        int,
        Says(minimum=0, description="What had changed since the plan, and was left as it was."),
    ]
    changed: Annotated[
        list[dict[str, Any]], Says(description="What made the plan stale under way.")
    ]


class PlanUrls(TypedDict):
    """Where to go from a plan."""

    self: Url
    items: Url
    freed: Url
    apply: Url
    cancel: Url


class PlanDocument(TypedDict):
    """What would go, in numbers; physical bytes are of blobs that nobody else has, each once."""

    id: Id
    level: LevelOfPolicy
    of: Annotated[str, Says(examples=["acme"])]
    made_at: Time
    made_by: str
    looked_at: Annotated[int, Says(minimum=0, description="Artifacts of builds that have ended.")]
    artifacts: Count
    logical_bytes: SizeBytes
    blobs: Count
    physical_bytes: SizeBytes
    rules: list[PlanRuleDocument]
    exceeded: Annotated[
        list[Exceeded],
        Says(
            description="Limits of scheduled runs that it goes beyond: without a run it waits for "
            "somebody who applies it."
        ),
    ]
    run: RunDocument | None
    list_forgotten_at: ListForgottenAt
    urls: PlanUrls


class PlannedDocument(TypedDict):
    """What a plan would take away; physical bytes are of blobs that nobody else had, each once."""

    artifacts: Count
    logical_bytes: SizeBytes
    blobs: Count
    physical_bytes: SizeBytes


class DeletedDocument(TypedDict):
    """What its run has removed so far, each artifact with its bytes."""

    artifacts: Count
    logical_bytes: SizeBytes


class ConfirmedDocument(TypedDict):
    """What the store did not have any more when it was asked again, behind the removal."""

    artifacts: Annotated[int, Says(minimum=0, description="Whose bytes are gone.")]
    blobs: Annotated[
        int, Says(minimum=0, description="Whose last artifact this plan's run has removed.")
    ]
    physical_bytes: SizeBytes


class WaitingDocument(TypedDict):
    """Artifacts of a plan whose bytes are still stored, and why."""

    where: Annotated[
        str,
        Says(
            enum=[one.value for one in Whereabouts if one is not Whereabouts.CONFIRMED],
            description="`not-removed`: not yet, or spared, restored, or removed by somebody else. "
            "`in-trash`: can be restored. `shared`: somebody else has these bytes. `in-grace`: "
            "nobody has them, and the collector waits for a day. `stuck`: the store was told to "
            "remove them and has them still.",
        ),
    ]
    artifacts: Count
    physical_bytes: Annotated[SizeBytes, Says(description="As the plan has counted them.")]
    until: Annotated[
        Time | None,
        Says(description="When the last of them go on; null where not time decides that."),
    ]


class FreedDocument(TypedDict):
    """Planned, deleted and confirmed: three numbers, and what is between them."""

    plan: Id
    planned: PlannedDocument
    deleted: DeletedDocument
    confirmed: ConfirmedDocument
    waiting: list[WaitingDocument]


class PlanItemDocument(TypedDict):
    """One object of a plan."""

    artifact: Id
    path: FilePath
    ref: str
    size_bytes: SizeBytes
    physical_bytes: SizeBytes
    expired_at: Time
    rule: Annotated[str, Says(examples=["main-90d"])]
    version: int | None


class EffectDocument(TypedDict):
    """What a preview finds of one effect; physical bytes where blobs would newly go or stay."""

    artifacts: Count
    logical_bytes: SizeBytes
    physical_bytes: SizeBytes | None


class EffectsDocument(TypedDict):
    """Everything that was looked at, by what another policy would change for it."""

    ends: Annotated[EffectDocument, Says(description="Would have expired, and has not.")]
    keeps: Annotated[EffectDocument, Says(description="Has expired, is there, and would not have.")]
    sooner: Annotated[EffectDocument, Says(description="Would expire sooner, but not yet.")]
    later: Annotated[EffectDocument, Says(description="Would expire later, or never.")]
    same: Annotated[EffectDocument, Says(description="Nothing changes.")]


class PreviewUrls(TypedDict):
    """Where to go from a preview."""

    self: Url
    items: Url


class PreviewDocument(TypedDict):
    """What another policy would change; counts are of a plan by it, effects what differs."""

    id: Id
    level: LevelOfPolicy
    of: Annotated[str, Says(examples=["acme"])]
    document: RetentionRules
    version: Annotated[int, Says(minimum=0, description="Of the policy that it would replace.")]
    made_at: Time
    made_by: str
    looked_at: Annotated[int, Says(minimum=0, description="Artifacts of builds that have ended.")]
    artifacts: Count
    logical_bytes: SizeBytes
    physical_bytes: SizeBytes
    effects: EffectsDocument
    rules: list[PlanRuleDocument]
    list_forgotten_at: ListForgottenAt
    urls: PreviewUrls


class PreviewItemDocument(TypedDict):
    """One artifact that would newly end or be kept, and the rule that would say so."""

    artifact: Id
    path: FilePath
    ref: str
    size_bytes: SizeBytes
    physical_bytes: SizeBytes
    effect: Annotated[str, Says(enum=["ends", "keeps"])]
    expires_at_now: Annotated[Time | None, Says(description="By the policies that hold.")]
    expires_at: Annotated[Time | None, Says(description="By the document.")]
    rule: Annotated[str | None, Says(examples=["main-90d"])]
    version: int | None
