"""A CI platform's API on loopback: documents of the published form, or whatever a test says.

`tests/assets/platform-api` has the forms; a test holds these documents against them.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from kernel.pinned_http import Limits, PinnedHttp
from provenance.adapters.platform_api import ApiAddress, PlatformApi
from provenance.adapters.platforms import Platforms
from provenance.domain.build_facts import Platform, Witnessed
from tests.factories.ci_issuer import respond

# Only what hangs reaches these.
PATIENT: Final = Limits(connect_seconds=60, read_seconds=60, total_seconds=60, size_bytes=50_000)
SEALED_AT: Final = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
_CREATED: Final = "2026-11-21T07:50:00Z"

Answer = Callable[[BaseHTTPRequestHandler], object]


@dataclass(slots=True)
class PlatformDouble:
    """What the API knows, what it was asked and as whom, and special answers by path."""

    url: str
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def fails(self, status: int, **headers: str) -> None:
        """From now on answer everything like this."""
        self.answers[""] = lambda handler: respond(handler, b"{}", status, **headers)

    def recovers(self) -> None:
        """Answer from the documents again."""
        self.answers.clear()

    def platforms(self, *issuers: str, limits: Limits = PATIENT, **address: Any) -> Platforms:
        """The port over this double, for issuers of these names."""
        where = ApiAddress(self.url, is_development=True, **address)
        api = PlatformApi(where, PinnedHttp(limits))
        return Platforms(dict.fromkeys(issuers or ("github", "gitlab"), api))


def knows(double: PlatformDouble, facts: Witnessed, **changes: Any) -> None:
    """Let the API know this job, running, as its token describes it; with these members different.

    A member of another document than the job is named with it: `run__path`, `pipeline__source`.
    """
    if facts.platform is Platform.GITHUB:
        _know_github(double, facts, changes)
    else:
        _know_gitlab(double, facts, changes)


def github_paths(facts: Witnessed) -> tuple[str, str, str]:
    """Where GitHub's API has the job, the attempt and the repository."""
    repository = f"/repos/{facts.repository}"
    attempt = f"{repository}/actions/runs/{facts.run_id}/attempts/{facts.run_attempt}"
    return f"{repository}/actions/jobs/{facts.job_id}", attempt, repository


def gitlab_paths(facts: Witnessed) -> tuple[str, str]:
    """Where GitLab's API has the job and the project."""
    project = f"/projects/{facts.repository_id}"
    return f"{project}/jobs/{facts.job_id}", project


def _know_github(double: PlatformDouble, facts: Witnessed, changes: dict[str, Any]) -> None:
    job_path, run_path, repository_path = github_paths(facts)
    repository: dict[str, Any] = {
        "id": int(facts.repository_id),
        "node_id": "R_1",
        "name": facts.repository.partition("/")[2],
        "full_name": facts.repository,
        "private": False,
        "html_url": facts.repository_url,
    }
    job: dict[str, Any] = {
        "id": int(facts.job_id),
        "run_id": int(facts.run_id),
        "run_url": f"{double.url}{repository_path}/actions/runs/{facts.run_id}",
        "run_attempt": int(facts.run_attempt),
        "node_id": "CR_1",
        "head_sha": facts.commit,
        "url": f"{double.url}{job_path}",
        "html_url": f"{facts.repository_url}/actions/runs/{facts.run_id}/job/{facts.job_id}",
        "status": "in_progress",
        "conclusion": None,
        "created_at": _CREATED,
        "started_at": _CREATED,
        "completed_at": None,
        "name": "release",
        "check_run_url": f"{double.url}{repository_path}/check-runs/{facts.job_id}",
        "labels": ["ubuntu-24.04"],
        "runner_id": 1000000012,
        "runner_name": "GitHub Actions 1000000012",
        "runner_group_id": 0,
        "runner_group_name": "GitHub Actions",
        "workflow_name": "Release",
        "head_branch": facts.ref.rpartition("/")[2],
    }
    run: dict[str, Any] = {
        "id": int(facts.run_id),
        "node_id": "WFR_1",
        "head_branch": facts.ref.rpartition("/")[2],
        "head_sha": facts.commit,
        "path": facts.workflow_path,
        "run_number": 12,
        "run_attempt": int(facts.run_attempt),
        "event": facts.event,
        "status": "in_progress",
        "conclusion": None,
        "workflow_id": 7,
        "url": f"{double.url}{repository_path}/actions/runs/{facts.run_id}",
        "html_url": f"{facts.repository_url}/actions/runs/{facts.run_id}",
        "created_at": _CREATED,
        "updated_at": _CREATED,
        "referenced_workflows": [],
        "repository": dict(repository),
        "head_repository": dict(repository),
    }
    _change({"": job, "run": run, "repository": repository}, changes)
    double.documents.update({job_path: job, run_path: run, repository_path: repository})


def _know_gitlab(double: PlatformDouble, facts: Witnessed, changes: dict[str, Any]) -> None:
    job_path, project_path = gitlab_paths(facts)
    name = facts.ref.removeprefix("refs/tags/").removeprefix("refs/heads/")
    commit: dict[str, Any] = {"id": facts.commit, "short_id": facts.commit[:8], "title": "Release"}
    pipeline: dict[str, Any] = {
        "id": int(facts.run_id),
        "project_id": int(facts.repository_id),
        "sha": facts.commit,
        "ref": name,
        "status": "running",
        "source": facts.event,
        "web_url": f"{facts.repository_url}/-/pipelines/{facts.run_id}",
    }
    runner: dict[str, Any] = {
        "id": 12270807,
        "description": "saas-linux-small-amd64",
        "active": True,
        "paused": False,
        "is_shared": True,
        "runner_type": "instance_type",
        "name": "gitlab-runner",
        "online": True,
        "status": "online",
    }
    job: dict[str, Any] = {
        "id": int(facts.job_id),
        "name": "release",
        "stage": "deploy",
        "status": "running",
        "ref": name,
        "tag": facts.ref.startswith("refs/tags/"),
        "created_at": _CREATED,
        "started_at": _CREATED,
        "finished_at": None,
        "duration": None,
        "commit": commit,
        "pipeline": pipeline,
        "web_url": f"{facts.repository_url}/-/jobs/{facts.job_id}",
        "runner": runner,
        "tag_list": [],
    }
    project: dict[str, Any] = {
        "id": int(facts.repository_id),
        "name": "widget",
        "path_with_namespace": facts.repository,
        "web_url": facts.repository_url,
    }
    parts = {"": job, "commit": commit, "pipeline": pipeline, "runner": runner, "project": project}
    _change(parts, changes)
    double.documents.update({job_path: job, project_path: project})


def _change(documents: dict[str, dict[str, Any]], changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        place, _, member = name.rpartition("__")
        document, *inner = place.split("__")
        target = documents[document]
        for step in inner:
            target = target[step]
        target[member] = value


def just_before(moment: datetime, **age: int) -> str:
    """A platform's time, so much before a moment."""
    return (moment - timedelta(**age)).isoformat().replace("+00:00", "Z")


@contextmanager
def running_platform() -> Iterator[PlatformDouble]:
    """Start an API that knows nothing on a free port of loopback; stop it at the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            double.asked.append(self.path)
            double.authorizations.append(self.headers.get("Authorization"))
            special = double.answers.get(self.path) or double.answers.get("")
            document = double.documents.get(self.path)
            try:
                if special is not None:
                    special(self)
                elif document is not None:
                    respond(self, json.dumps(document).encode())
                else:
                    respond(self, b'{"message": "Not Found"}', 404)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double = PlatformDouble(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield double
    finally:
        double.is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()
