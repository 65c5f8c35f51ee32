"""SLSA provenance v1 for a CI job that uploaded files (https://slsa.dev/provenance/v1).

The statement says: *a job of workflow W at commit C on platform P uploaded bytes D*. Each
function below builds one field of the predicate, in the specification's order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from kernel.errors import Kind, Refusal
from provenance.domain.build_facts import UNATTESTABLE_EVENTS, Witnessed
from provenance.domain.builders import builder_id, mode_of
from provenance.domain.confirmation import Confirmation
from provenance.domain.platforms import FORMS, Form, Parameter, build_type

PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"


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


def provenance(
    facts: Witnessed,
    sealed: Sealed,
    *,
    base_url: str,
    confirmation: Confirmation | None = None,
) -> dict[str, Any]:
    """The provenance predicate of one group of files that one job uploaded.

    `confirmation` says what the platform was asked about the job, if it was.

    Raises:
        UnattestableEvent: `sha` is not the code that ran.
    """
    if facts.event in UNATTESTABLE_EVENTS:
        raise UnattestableEvent(event=facts.event)
    form = FORMS[facts.platform]
    definition: dict[str, Any] = {
        "buildType": build_type(form, base_url=base_url),
        "externalParameters": {form.external_member: _parameters(form.external, facts)},
        "internalParameters": _internal_parameters(form, facts, sealed, confirmation),
    }
    metadata = {
        "startedOn": _rfc3339(sealed.opened_at),
        "finishedOn": _rfc3339(sealed.sealed_at),
    }
    if form.ids is not None:
        definition["resolvedDependencies"] = _resolved_dependencies(facts)
        metadata["invocationId"] = form.invocation(facts)
    builder = builder_id(facts.issuer_name, mode_of(facts), base_url=base_url)
    return {
        "buildDefinition": definition,
        "runDetails": {"builder": {"id": builder}, "metadata": metadata},
    }


def _parameters(rows: Sequence[Parameter], facts: Witnessed) -> dict[str, str]:
    return {row.name: value for row in rows if (value := row.value(facts))}


def _internal_parameters(
    form: Form, facts: Witnessed, sealed: Sealed, confirmation: Confirmation | None
) -> dict[str, Any]:
    """What the platform set, what it confirmed, and which build of the store this is."""
    upload = {
        "issuer": facts.issuer,
        "project": str(sealed.project),
        "build": str(sealed.build),
        "confirmed": facts.confirmed,
        "token_id_sha256": facts.token_id_sha256,
    }
    own = {form.member: _parameters(form.internal, facts)} if form.member else {}
    told = {"confirmation": confirmation.to_json()} if confirmation is not None else {}
    return {**own, **told, "upload": upload}


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
