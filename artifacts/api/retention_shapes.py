"""The members of each JSON answer about retention, and what they mean; as `shapes`."""

from typing import Annotated, Any, TypedDict

from artifacts.domain.retention import Level
from kernel.shapes import Says, Time

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
