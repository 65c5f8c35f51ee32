"""The claims of a GitHub Actions job, as its platform states them, for a job that never was."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

LIFE: Final = timedelta(minutes=5)
COMMIT: Final = "6e10f9b1cdd0e27d3b9b2a4b0f6a3d9b54c1a7f2"


def job_claims(issuer: str, given: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """All claims of a push to `main` on a hosted runner; they follow what is `given`."""
    repository = given.get("repository", "acme/widget")
    ref = given.get("ref", "refs/heads/main")
    sha = given.get("sha", COMMIT)
    workflow = given.get("workflow_ref", f"{repository}/.github/workflows/release.yml@{ref}")
    return {
        "iss": issuer,
        "sub": f"repo:{repository}:ref:{ref}",
        "jti": str(uuid.uuid4()),
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int((now + LIFE).timestamp()),
        "actor": "octocat",
        "actor_id": "583231",
        "base_ref": "",
        "check_run_id": "30000000001",
        "event_name": "push",
        "head_ref": "",
        "job_workflow_ref": workflow,
        "job_workflow_sha": sha,
        "ref": ref,
        "ref_protected": "true",
        "ref_type": "tag" if str(ref).startswith("refs/tags/") else "branch",
        "repository": repository,
        "repository_id": "4242",
        "repository_owner": str(repository).partition("/")[0],
        "repository_owner_id": "77",
        "repository_visibility": "private",
        "run_attempt": "1",
        "run_id": "17000000001",
        "run_number": "42",
        "runner_environment": "github-hosted",
        "sha": sha,
        "workflow": "release",
        "workflow_ref": workflow,
        "workflow_sha": sha,
    }
