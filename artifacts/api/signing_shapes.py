"""The members of the answers about signing: what waits, and what a log would be told.

`queue` and `transparency` write them, mypy compares, and the API reference is made of them.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from artifacts.api.shapes import AttestationRequestDocument, FailingService, FailureReason
from kernel.shapes import Count, Id, ProjectName, Says, Time, Url
from provenance.domain.transparency import Transparency

TransparencyName = Annotated[
    str,
    Says(
        enum=[one.value for one in Transparency],
        description="Where statements are recorded when they are signed.",
    ),
]


class WaitingReasonDocument(TypedDict):
    """How many statements wait for the same reason; null where nothing has failed yet."""

    last_error: Annotated[str | None, Says(description="The problem's code.")]
    service: FailingService
    reason: FailureReason
    count: Count
    next_attempt_at: Time


class WaitingRequestDocument(AttestationRequestDocument):
    """One statement that waits, and the build that it is for; null of a removal, of many builds."""

    project: Id
    build: Url | None
    requested_at: Time


class SigningQueueDocument(TypedDict):
    """The signing queue as it stands now."""

    waiting: Annotated[int, Says(minimum=0, description="How many statements wait in all.")]
    reasons: list[WaitingReasonDocument]
    oldest: list[WaitingRequestDocument]


class TransparencyDocument(TypedDict):
    """Where a project's statements are recorded, and where else they could be."""

    project: ProjectName
    is_public: bool
    transparency: TransparencyName
    becomes_public: Annotated[
        bool, Says(description="Whether signing tells everybody something, for ever.")
    ]
    offered: list[TransparencyName]


class BuildTransparencyDocument(TransparencyDocument):
    """What a public log would have of a build's statements, whatever its project chose."""

    build: Url
    statements: Annotated[
        list[Mapping[str, Any]],
        Says(
            description="One for each statement: its digest, and the certificate, the log's entry "
            "and the timestamps that would be public. Empty where no signer writes into a public "
            "log, or where the build is not sealed."
        ),
    ]
