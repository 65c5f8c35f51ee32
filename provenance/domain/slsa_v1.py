"""SLSA provenance v1 for a CI job that uploaded files (https://slsa.dev/provenance/v1).

The statement says: *a job of workflow W at commit C on platform P uploaded bytes D*. Each
function below builds one field of the predicate, in the specification's order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from kernel.errors import Kind, Refusal
from provenance.domain.build_facts import UNATTESTABLE_EVENTS, Witnessed
from provenance.domain.builders import builder_id, mode_of

PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE_NAME: Final = "github-actions-upload"

# What a reader may want and the token does not carry (SLSA v1.2: parameters that are not
# recorded are named, not passed over in silence).
NOT_RECORDED: Final = ("inputs", "variables", "secrets", "steps", "runner image")


class UnattestableEvent(Refusal):
    """The event's commit is not the code that ran, so nothing true can be said about it."""

    code = "unattestable-event"
    kind = Kind.INVALID


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the store did: which build of which project it sealed, and when (UTC)."""

    project: UUID
    build: UUID
    opened_at: datetime
    sealed_at: datetime


def build_type(*, base_url: str) -> str:
    """The URL of the buildType: its specification and JSON Schema answer there."""
    return f"{base_url}/buildtypes/{BUILD_TYPE_NAME}/v1"


def provenance(facts: Witnessed, sealed: Sealed, *, base_url: str) -> dict[str, Any]:
    """The provenance predicate of one group of files that one job uploaded.

    Raises:
        UnattestableEvent: `sha` is not the code that ran.
    """
    if facts.event in UNATTESTABLE_EVENTS:
        raise UnattestableEvent(event=facts.event)
    return {
        "buildDefinition": {
            "buildType": build_type(base_url=base_url),
            "externalParameters": _external_parameters(facts),
            "internalParameters": _internal_parameters(facts, sealed),
            "resolvedDependencies": _resolved_dependencies(facts),
        },
        "runDetails": {
            "builder": {"id": builder_id(facts.issuer_name, mode_of(facts), base_url=base_url)},
            "metadata": {
                "invocationId": facts.invocation_url,
                "startedOn": _rfc3339(sealed.opened_at),
                "finishedOn": _rfc3339(sealed.sealed_at),
            },
        },
    }


def _external_parameters(facts: Witnessed) -> dict[str, Any]:
    """What the tenant chose: the workflow, where it stands, and on which ref it ran."""
    return {
        "workflow": {
            "repository": facts.repository_url,
            "ref": facts.ref,
            "path": facts.workflow_path,
        }
    }


def _internal_parameters(facts: Witnessed, sealed: Sealed) -> dict[str, Any]:
    """What the platform set, and which build of the store this is."""
    github = {
        "event_name": facts.event,
        "repository_id": facts.repository_id,
        "repository_owner_id": facts.owner_id,
        "repository_visibility": facts.visibility,
        "runner_environment": facts.hosting.value,
        "run_id": facts.run_id,
        "run_attempt": facts.run_attempt,
        "ref_protected": facts.ref_protected,
        "check_run_id": facts.job_id,
        "environment": facts.environment,
    }
    return {
        "github": {name: value for name, value in github.items() if value},
        "upload": {
            "issuer": facts.issuer,
            "project": str(sealed.project),
            "build": str(sealed.build),
            "confirmed": facts.confirmed,
            "token_id_sha256": facts.token_id_sha256,
        },
    }


def _resolved_dependencies(facts: Witnessed) -> list[Mapping[str, Any]]:
    """The source at its commit, and the workflow definition(s) at theirs."""
    dependencies: list[Mapping[str, Any]] = [
        {
            "name": "source",
            "uri": f"git+{facts.repository_url}@{facts.ref}",
            "digest": {"gitCommit": facts.commit},
        },
        {
            "name": "workflow",
            "uri": f"git+{facts.server_url}/{facts.workflow_ref}",
            "digest": {"gitCommit": facts.workflow_commit},
        },
    ]
    if facts.job_workflow_ref and facts.job_workflow_ref != facts.workflow_ref:
        dependencies.append(
            {
                "name": "job_workflow",
                "uri": f"git+{facts.server_url}/{facts.job_workflow_ref}",
                "digest": {"gitCommit": facts.job_workflow_commit},
            }
        )
    return dependencies


def _rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
