"""How long an artifact lives and why, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from artifacts.domain.evidence_clock import KeptBy
from artifacts.domain.retention import IN_USE, LEGAL_HOLD, Level
from artifacts.queries.retention import holder_of

if TYPE_CHECKING:
    from datetime import datetime

    from artifacts.domain.retention import Cited, Decision
    from artifacts.models import Artifact
    from artifacts.queries.ending import Clock


_KEEPS: Final = {
    KeptBy.STORED: "another file of its build is stored",
    KeptBy.TRASH: "another file of its build is in the trash",
    KeptBy.REQUEST: "a statement about its build is still to be signed",
    KeptBy.HOLD: "a legal hold covers it",
    KeptBy.USE: "somebody outside has a copy, or runs it",
    KeptBy.DIFFERENCE: "a bundle of it is not what was recorded",
}
_PROTECTIONS: Final = {LEGAL_HOLD: "a legal hold", IN_USE: "a declared use"}


def sentence_of(expiry: Decision, artifact: Artifact, *, now: datetime) -> str:
    """When it expires or expired, by which rule of whom, and which other rule moved that."""
    if expiry.rule is None:
        return "For good: no retention rule ends it."
    kept = f" {_of(expiry.kept_by, artifact)} keeps it" if expiry.kept_by is not None else ""
    if expiry.expires_at is None:
        return f"For now:{kept}, against {_of(expiry.rule, artifact)}."
    day = f"{expiry.expires_at:%Y-%m-%d %H:%M} UTC"
    says = "Expired" if expiry.is_expired(now=now) else "Expires"
    longer = f";{kept} so long" if kept else ""
    return f"{says} {day} by {_of(expiry.rule, artifact)}{longer}."


def sentence_of_evidence(clock: Clock) -> str:
    """Until when the bundles of a build are kept of which files are gone, and by what."""
    if clock.kept_until is None:
        return "Kept for ever."
    day = f"{clock.kept_until:%Y-%m-%d}"
    match clock.kept_by:
        case None:
            return f"Its time was over on {day}: an operator of the store may end it."
        case KeptBy.TIME:
            return f"Kept until {day}; then an operator of the store may end it."
        case why:
            return f"Kept until {day} at least, and while {_KEEPS[why]}."


def _of(cited: Cited, artifact: Artifact) -> str:
    if cited in _PROTECTIONS:
        return _PROTECTIONS[cited]
    if cited.level is Level.JOB:
        return "the wish of its job"
    level = "" if cited.level is Level.INSTANCE else f"{cited.level.word} "
    return f"rule {cited.name} of {level}{holder_of(cited, artifact.project)}"
