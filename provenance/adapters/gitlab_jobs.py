"""What GitLab's API says of a job, asked by the project's id: a renamed project stays the same.

https://docs.gitlab.com/api/jobs/ ("Get a single job"): job, pipeline, commit and runner.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from provenance.adapters.api_members import member, moment, number, text
from provenance.adapters.platform_api import Absent, PlatformApi
from provenance.domain.build_facts import Hosting, Witnessed
from provenance.domain.confirmation import Observed, Standing
from provenance.errors import JobUnknown

GITLAB_COM: Final = "https://gitlab.com"
STANDINGS: Final[Mapping[str, Standing]] = {
    **dict.fromkeys(
        (
            "created",
            "pending",
            "preparing",
            "scheduled",
            "manual",
            "skipped",
            "waiting_for_resource",
            "waiting_for_callback",
        ),
        Standing.NOT_STARTED,
    ),
    **dict.fromkeys(("running", "canceling"), Standing.RUNNING),
    **dict.fromkeys(("success", "failed", "canceled"), Standing.FINISHED),
}
SHARED: Final = "instance_type"
OWN: Final = frozenset({"group_type", "project_type"})
UNSAID: Final = {
    "workflow_path": "the API does not say which file a pipeline was made from",
    "ref": "the API names a merge request's ref otherwise than the token",
    "hosting": "the API shows no runner, or one of an instance that hosts its own",
}
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,19}")


def names_a_job(facts: Witnessed) -> bool:
    """Whether the facts name a job that can be asked about, and nothing else of the API's."""
    numbers = (facts.repository_id, facts.run_id, facts.job_id)
    return all(_NUMBER.fullmatch(one) is not None for one in numbers)


def observe(api: PlatformApi, facts: Witnessed, *, now: datetime) -> Observed:
    """Ask about the job of the project with the token's id.

    Raises:
        JobUnknown: there is no such job in a project that the API shows.
        PlatformUnavailable: the API cannot be asked, or its answer cannot be read.
    """
    project = f"/projects/{facts.repository_id}"
    try:
        job = api.document(f"{project}/jobs/{facts.job_id}", now=now)
    except Absent:
        _check_project(api, facts, project, now)
        raise JobUnknown(job=facts.job_id, run=facts.run_id, api=api.address.url) from None
    standing = STANDINGS.get(text(job, "status"))
    if standing is None:
        raise api.malformed("status")
    pipeline = member(job, "pipeline")
    required = {
        "repository_id": number(pipeline, "project_id"),
        "run_id": number(pipeline, "id"),
        "job_id": number(job, "id"),
        "commit": text(member(job, "commit"), "id"),
    }
    missing = [name for name, value in required.items() if not value]
    if missing:
        raise api.malformed(missing[0])
    return Observed(
        **required,
        standing=standing,
        finished_at=moment(job, "finished_at"),
        event=text(pipeline, "source"),
        ref=_ref(job, facts),
        hosting=_hosting(member(job, "runner"), facts),
        unsaid=UNSAID,
    )


def _check_project(api: PlatformApi, facts: Witnessed, path: str, now: datetime) -> None:
    """Go on only if the API shows the project: GitLab says 404 of what one may not see."""
    try:
        found = api.document(path, now=now)
    except Absent:
        raise api.not_allowed() from None
    if number(found, "id") != facts.repository_id:
        raise api.malformed("project id")


def _ref(job: Mapping[str, Any], facts: Witnessed) -> str:
    name, is_tag = text(job, "ref"), job.get("tag")
    if not name or not isinstance(is_tag, bool) or facts.event == "merge_request_event":
        return ""
    return f"refs/tags/{name}" if is_tag else f"refs/heads/{name}"


def _hosting(runner: Mapping[str, Any], facts: Witnessed) -> Hosting:
    """On GitLab.com the instance's own runners are the hosted ones, as its tokens count them.

    Elsewhere the instance's runners are its operator's, and say nothing of hosting.
    """
    kind = text(runner, "runner_type")
    if kind in OWN:
        return Hosting.SELF_HOSTED
    is_shared = kind == SHARED and runner.get("is_shared") is True
    return Hosting.HOSTED if is_shared and facts.issuer == GITLAB_COM else Hosting.UNKNOWN
