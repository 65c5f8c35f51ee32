"""What a platform's API says of a job, held against what the job's token said.

The token passed through the job's own hands; the API did not. Whatever cannot be compared is
listed with the reason, and a hosted job whose hosting cannot be compared is not confirmed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from provenance.domain.build_facts import Hosting, Platform, Witnessed
from provenance.errors import JobContradicted, PlatformUnavailable

# The platform's clock and ours: a job that ends while it is sealed must not look like one that
# was over. Whoever could use this minute has the token of a job that ended within it.
LEEWAY: Final = timedelta(seconds=60)


class Standing(StrEnum):
    """How far a job has come, as its platform says."""

    NOT_STARTED = "not started"
    RUNNING = "running"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One job as its platform's API describes it, in the words of `Witnessed`.

    What the API does not say is empty; `unsaid` has the reason where there is one worth telling.
    """

    repository_id: str
    run_id: str
    job_id: str
    commit: str
    standing: Standing
    finished_at: datetime | None
    run_attempt: str = ""
    workflow_path: str = ""
    job_workflow_commit: str = ""
    event: str = ""
    ref: str = ""
    hosting: Hosting = Hosting.UNKNOWN
    unsaid: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotCompared:
    """A fact that nobody could hold against the platform's word, and why."""

    field: str
    why: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The API knows this very job and contradicts nothing. `api` is its base address."""

    api: str
    asked_at: datetime
    compared: tuple[str, ...]
    not_compared: tuple[NotCompared, ...]

    def suffices(self, facts: Witnessed) -> bool:
        """Whether the job counts as confirmed: this very job, and hosted if its token says so."""
        needed = {"job_id", "hosting"} if facts.hosting is Hosting.HOSTED else {"job_id"}
        return needed <= set(self.compared)

    def to_json(self) -> dict[str, Any]:
        """The same as it stands in provenance (internalParameters)."""
        return {
            "api": self.api,
            "asked_at": self.asked_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "compared": list(self.compared),
            "not_compared": [{"field": one.field, "why": one.why} for one in self.not_compared],
        }


IN_PROGRESS: Final = "in_progress_at_seal"
# In the order in which a difference is told: whose, which, what.
FIELDS: Final = (
    "repository_id",
    "run_id",
    "run_attempt",
    "job_id",
    "commit",
    "workflow_path",
    "job_workflow_commit",
    "event",
    "ref",
    "hosting",
)
_NOT_IN_TOKEN: Final = "the identity token does not say it"  # noqa: S105 - words for people
_NOT_IN_API: Final = "the platform's API does not say it"
TRIAL_MERGE: Final = (
    "for pull_request the token names the platform's trial merge, the API the branch's head"
)
# What never applies to a platform's jobs is not worth a line in each statement of theirs.
_MEANINGLESS: Final[Mapping[Platform, frozenset[str]]] = {
    # A retried job of GitLab's is another job; its token names no reusable workflow.
    Platform.GITLAB: frozenset({"run_attempt", "job_workflow_commit"}),
}


def compare(
    facts: Witnessed, observed: Observed, *, api: str, sealed_at: datetime, asked_at: datetime
) -> Confirmation:
    """Hold each field against the other's, and say which could be.

    Raises:
        JobContradicted: the first that differs, expected as the token said and found as the API.
        PlatformUnavailable: the API does not know yet that the job has started.
    """
    compared: list[str] = []
    not_compared: list[NotCompared] = []
    for name in _fields_of(facts):
        ours, theirs = _said(facts, name), _said(observed, name)
        why = _why_not(facts, name, ours, theirs, observed.unsaid)
        if why:
            not_compared.append(NotCompared(name, why))
        elif ours != theirs:
            raise JobContradicted(field=name, expected=ours, found=theirs[:300], api=api)
        else:
            compared.append(name)
    _check_standing(observed, api=api, sealed_at=sealed_at)
    return Confirmation(api, asked_at, (*compared, IN_PROGRESS), tuple(not_compared))


def unnamed_job(*, api: str, asked_at: datetime) -> Confirmation:
    """What is left where the token names no job that a platform could be asked about."""
    return Confirmation(api, asked_at, (), (NotCompared("job_id", _NOT_IN_TOKEN),))


def comparable(platform: Platform) -> tuple[str, ...]:
    """What is compared of a platform's jobs, as far as token and API both say it."""
    left_out = _MEANINGLESS.get(platform, frozenset())
    return (*(name for name in FIELDS if name not in left_out), IN_PROGRESS)


def _fields_of(facts: Witnessed) -> Sequence[str]:
    left_out = set(_MEANINGLESS.get(facts.platform, frozenset()))
    if facts.job_workflow_ref in ("", facts.workflow_ref):
        left_out.add("job_workflow_commit")
    return [name for name in FIELDS if name not in left_out]


def _said(source: Witnessed | Observed, name: str) -> str:
    value = str(getattr(source, name))
    return "" if value == Hosting.UNKNOWN else value


def _why_not(facts: Witnessed, name: str, ours: str, theirs: str, unsaid: Mapping[str, str]) -> str:
    """Why a field cannot be compared; empty where it can."""
    if name == "commit" and facts.platform is Platform.GITHUB and facts.event == "pull_request":
        return TRIAL_MERGE
    if not ours:
        return _NOT_IN_TOKEN
    return "" if theirs else unsaid.get(name, _NOT_IN_API)


def _check_standing(observed: Observed, *, api: str, sealed_at: datetime) -> None:
    match observed.standing:
        case Standing.RUNNING:
            return
        case Standing.NOT_STARTED:
            # Its own eventual consistency, most likely; a job that runs will be shown running.
            raise PlatformUnavailable(reason="the API does not show the job as started", api=api)
        case Standing.FINISHED:
            if observed.finished_at is None:
                raise PlatformUnavailable(reason="the API does not say when the job ended", api=api)
            if observed.finished_at + LEEWAY < sealed_at:
                raise JobContradicted(
                    field=IN_PROGRESS,
                    expected=f"in progress at {sealed_at.isoformat()}",
                    found=f"finished at {observed.finished_at.isoformat()}",
                    api=api,
                )
