"""From verified claims to witnessed facts, by the table of the issuer's platform."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from access.domain import generic, github, gitlab
from access.domain.claim_rows import TEXT, Check, Events
from access.domain.identity_token import VerifiedToken
from provenance.domain.build_facts import Platform, Witnessed


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one platform's tokens are read, and what a publisher of it may ask for."""

    read: Callable[[VerifiedToken, str], Witnessed]
    events: Events
    workflow_path: Check
    repository: Check


DIALECTS: Final[Mapping[Platform, Dialect]] = {
    Platform.GITHUB: Dialect(github.facts, github.EVENTS, github.WORKFLOW_PATH, github.REPOSITORY),
    Platform.GITLAB: Dialect(gitlab.facts, gitlab.EVENTS, gitlab.CONFIG_PATH, gitlab.PROJECT),
    Platform.GENERIC: Dialect(generic.facts, generic.EVENTS, TEXT, TEXT),
}


def witnessed_facts(token: VerifiedToken, *, platform: Platform, issuer_name: str) -> Witnessed:
    """What the token witnesses of the job, by its platform's table.

    Raises:
        ClaimMissing: a required claim is not there.
        ClaimInvalid: a claim has another form, or contradicts another one.
        EventNotAllowed: jobs of this event may never upload.
        ForkNotAllowed: the code is another project's than the one that the token names.
    """
    return DIALECTS[platform].read(token, issuer_name)
