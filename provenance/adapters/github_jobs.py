"""What GitHub's API says of a job: the job, the attempt of its run, the repository's id.

`check_run_id` of the token is the job's id. https://docs.github.com/en/rest/actions/workflow-jobs
and .../workflow-runs, API version 2022-11-28.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from provenance.adapters.api_members import member, moment, number, text
from provenance.adapters.platform_api import Absent, PlatformApi
from provenance.domain.build_facts import Hosting, Witnessed
from provenance.domain.confirmation import Observed, Standing
from provenance.errors import JobContradicted, JobUnknown

HEADERS: Final = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
}
STANDINGS: Final[Mapping[str, Standing]] = {
    "queued": Standing.NOT_STARTED,
    "requested": Standing.NOT_STARTED,
    "waiting": Standing.NOT_STARTED,
    "pending": Standing.NOT_STARTED,
    "in_progress": Standing.RUNNING,
    "completed": Standing.FINISHED,
}
# The one group of GitHub's own standard runners. Larger runners stand in groups of any name, as
# self-hosted ones do: of those the API tells nobody which they are.
HOSTED_GROUP: Final = "GitHub Actions"
SELF_HOSTED_LABEL: Final = "self-hosted"
UNSAID: Final = {
    "ref": "the API names a branch or a tag without saying which it is",
    "hosting": "the API does not tell a larger hosted runner from a self-hosted one",
}
_NAME: Final = r"(?!\.{1,2}/)(?!\.{1,2}$)[A-Za-z0-9_.-]{1,100}"
_REPOSITORY: Final = re.compile(f"{_NAME}/{_NAME}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,19}")


def names_a_job(facts: Witnessed) -> bool:
    """Whether the facts name a job that can be asked about, and nothing else of the API's."""
    numbers = (facts.job_id, facts.run_id, facts.run_attempt)
    is_named = all(_NUMBER.fullmatch(one) is not None for one in numbers)
    return is_named and _REPOSITORY.fullmatch(facts.repository) is not None


def observe(api: PlatformApi, facts: Witnessed, *, now: datetime) -> Observed:
    """Ask about the job and about the attempt that it belongs to.

    Raises:
        JobUnknown: there is no such job in a repository that the API shows.
        JobContradicted: the repository of this name is another one today.
        PlatformUnavailable: the API cannot be asked, or its answer cannot be read.
    """
    repository = f"/repos/{facts.repository}"
    attempt = f"{repository}/actions/runs/{facts.run_id}/attempts/{facts.run_attempt}"
    try:
        job = api.document(f"{repository}/actions/jobs/{facts.job_id}", now=now, headers=HEADERS)
        run = api.document(attempt, now=now, headers=HEADERS)
    except Absent:
        _check_repository(api, facts, repository, now)
        raise JobUnknown(job=facts.job_id, run=facts.run_id, api=api.address.url) from None
    standing = STANDINGS.get(text(job, "status"))
    if standing is None:
        raise api.malformed("status")
    required = {
        "repository_id": number(member(run, "repository"), "id"),
        "run_id": number(job, "run_id"),
        "job_id": number(job, "id"),
        "commit": text(job, "head_sha"),
    }
    missing = [name for name, value in required.items() if not value]
    if missing:
        raise api.malformed(missing[0])
    if number(run, "id") != facts.run_id:
        raise api.malformed("run")
    return Observed(
        **required,
        standing=standing,
        finished_at=moment(job, "completed_at"),
        run_attempt=_attempt(job, run, facts),
        workflow_path=_workflow_path(text(run, "path"), facts),
        job_workflow_commit=_reusable(run, facts),
        event=text(run, "event"),
        hosting=_hosting(job),
        unsaid=UNSAID,
    )


def _check_repository(api: PlatformApi, facts: Witnessed, path: str, now: datetime) -> None:
    """Go on only if the API shows the token's own repository.

    GitHub says 404 of what one may not see: the job's absence counts only where the repository
    is shown.
    """
    try:
        found = number(api.document(path, now=now, headers=HEADERS), "id")
    except Absent:
        raise api.not_allowed() from None
    if not found:
        raise api.malformed("repository id")
    if found != facts.repository_id:
        raise JobContradicted(
            field="repository_id",
            expected=facts.repository_id,
            found=found,
            api=api.address.url,
        )


def _attempt(job: Mapping[str, Any], run: Mapping[str, Any], facts: Witnessed) -> str:
    """The job's attempt, or the run's where that one differs from what the token says."""
    of_run = number(run, "run_attempt")
    return number(job, "run_attempt") if of_run in ("", facts.run_attempt) else of_run


def _workflow_path(path: str, facts: Witnessed) -> str:
    """The workflow's file: the API's `path` may stand behind its repository and before a ref."""
    return path.partition("@")[0].removeprefix(f"{facts.repository}/")


def _reusable(run: Mapping[str, Any], facts: Witnessed) -> str:
    """The commit of the reusable workflow that the token names; the first where none agrees."""
    place = facts.job_workflow_ref.partition("@")[0]
    listed = run.get("referenced_workflows")
    entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    commits = [text(one, "sha") for one in entries if text(one, "path").partition("@")[0] == place]
    if facts.job_workflow_commit in commits:
        return facts.job_workflow_commit
    return next(iter(commits), "")


def _hosting(job: Mapping[str, Any]) -> Hosting:
    labels = job.get("labels")
    listed = labels if isinstance(labels, list) else []
    if any(isinstance(one, str) and one.lower() == SELF_HOSTED_LABEL for one in listed):
        return Hosting.SELF_HOSTED
    is_standard = text(job, "runner_group_name") == HOSTED_GROUP
    return Hosting.HOSTED if is_standard else Hosting.UNKNOWN
