"""What provenance says of a job, platform by platform: tables that a person can read.

The predicate, its closed schema, the pages and the policy's source are all made from these rows,
so that a platform is added here and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from provenance.domain.build_facts import Platform, Witnessed


@dataclass(frozen=True, slots=True)
class Parameter:
    """One member of the predicate: the fact it shows, the claim it comes from, what it means."""

    name: str
    fact: str
    claim: str
    meaning: str
    is_optional: bool

    def value(self, facts: Witnessed) -> str:
        """What the facts say here; empty when the token had no such claim."""
        return str(getattr(facts, self.fact))


@dataclass(frozen=True, slots=True)
class Ids:
    """Which members of a predicate name its source, in the words of its platform."""

    repository: str
    owner: str
    event: str


@dataclass(frozen=True, slots=True)
class Form:
    """One buildType. `member` is the platform's own object in internalParameters.

    `external` is what the tenant chose, `internal` what the platform set. `ids` is None where the
    identity proves no repository: then there are no dependencies and no invocation either.
    """

    build_type_name: str
    title: str
    member: str
    external_member: str
    external: Sequence[Parameter]
    internal: Sequence[Parameter]
    ids: Ids | None
    git_claims: str
    commit_claims: str
    invocation_claims: str
    invocation: Callable[[Witnessed], str]
    not_recorded: Sequence[str]


_required = partial(Parameter, is_optional=False)
_optional = partial(Parameter, is_optional=True)

_GITHUB: Final = Form(
    build_type_name="github-actions-upload",
    title="A GitHub Actions job uploaded these files",
    member="github",
    external_member="workflow",
    external=(
        _required(
            "repository",
            "repository_url",
            "issuer's server and repository",
            "the repository whose workflow ran",
        ),
        _required("ref", "ref", "ref", "the ref it ran on"),
        _required(
            "path",
            "workflow_path",
            "workflow_ref, without repository and ref",
            "the workflow's file",
        ),
    ),
    internal=(
        _required(
            "event_name",
            "event",
            "event_name",
            "the trigger; for pull_request the commit is the platform's trial merge",
        ),
        _required(
            "repository_id",
            "repository_id",
            "repository_id",
            "the repository's id, which a new repository of the same name does not get",
        ),
        _required("repository_owner_id", "owner_id", "repository_owner_id", "the owner's id"),
        _optional(
            "repository_visibility",
            "visibility",
            "repository_visibility",
            "public, private or internal",
        ),
        _required(
            "runner_environment",
            "hosting",
            "runner_environment",
            "hosted, self-hosted or unknown",
        ),
        _required("run_id", "run_id", "run_id", "the run"),
        _required("run_attempt", "run_attempt", "run_attempt", "the attempt"),
        _optional("check_run_id", "job_id", "check_run_id", "the job, where it is named"),
        _optional("ref_protected", "ref_protected", "ref_protected", "whether it was protected"),
        _optional(
            "environment",
            "environment",
            "environment",
            "the deployment environment, if the job had one",
        ),
    ),
    ids=Ids("repository_id", "repository_owner_id", "event_name"),
    git_claims="repository, ref, workflow_ref, job_workflow_ref",
    commit_claims="sha, workflow_sha, job_workflow_sha",
    invocation_claims="repository, run_id, run_attempt",
    invocation=lambda facts: (
        f"{facts.repository_url}/actions/runs/{facts.run_id}/attempts/{facts.run_attempt}"
    ),
    not_recorded=("inputs", "variables", "secrets", "steps", "runner image"),
)

_GITLAB: Final = Form(
    build_type_name="gitlab-ci-upload",
    title="A GitLab CI job uploaded these files",
    member="gitlab",
    external_member="workflow",
    external=(
        _required(
            "repository",
            "repository_url",
            "issuer's server and project_path",
            "the project whose pipeline ran",
        ),
        _required("ref", "ref", "ref_path", "the ref it ran on"),
        _required(
            "path",
            "workflow_path",
            "ci_config_ref_uri, without server, project and ref",
            "the top-level pipeline's file; the token does not name the job's own",
        ),
    ),
    internal=(
        _required("pipeline_source", "event", "pipeline_source", "the trigger"),
        _required(
            "project_id",
            "repository_id",
            "project_id",
            "the project's id, which a new project of the same path does not get",
        ),
        _required("namespace_id", "owner_id", "namespace_id", "the group's or user's id"),
        _optional(
            "project_visibility", "visibility", "project_visibility", "public, private or internal"
        ),
        _required(
            "runner_environment",
            "hosting",
            "runner_environment",
            "hosted, self-hosted or unknown",
        ),
        _required("pipeline_id", "run_id", "pipeline_id", "the pipeline"),
        _required("job_id", "job_id", "job_id", "the job; a retry is another one"),
        _optional("ref_protected", "ref_protected", "ref_protected", "whether it was protected"),
        _optional(
            "environment",
            "environment",
            "environment",
            "the deployment environment, if the job had one",
        ),
    ),
    ids=Ids("project_id", "namespace_id", "pipeline_source"),
    git_claims="project_path, ref_path, ci_config_ref_uri",
    commit_claims="sha, ci_config_sha",
    invocation_claims="project_path, job_id",
    invocation=lambda facts: f"{facts.repository_url}/-/jobs/{facts.job_id}",
    not_recorded=("job name", "variables", "included files", "secrets", "script", "runner image"),
)

_GENERIC: Final = Form(
    build_type_name="oidc-upload",
    title="Whoever holds this identity uploaded these files",
    member="",
    external_member="identity",
    external=(
        _required("issuer", "issuer", "iss", "who vouches for the identity"),
        _required("subject", "subject", "sub", "whom the issuer says it is"),
    ),
    internal=(),
    ids=None,
    git_claims="",
    commit_claims="",
    invocation_claims="",
    invocation=lambda _facts: "",
    not_recorded=("repository", "commit", "workflow", "runner", "everything else of the job"),
)

FORMS: Final[Mapping[Platform, Form]] = {
    Platform.GITHUB: _GITHUB,
    Platform.GITLAB: _GITLAB,
    Platform.GENERIC: _GENERIC,
}


def build_type(form: Form, *, base_url: str) -> str:
    """The URL of a buildType: its specification and JSON Schema answer there."""
    return f"{base_url}/buildtypes/{form.build_type_name}/v1"


def form_of(found: object, *, base_url: str) -> Form | None:
    """The form whose buildType this is; None when it is none of this store's."""
    forms = FORMS.values()
    return next((form for form in forms if build_type(form, base_url=base_url) == found), None)


@dataclass(frozen=True, slots=True)
class SourceIds:
    """Whose build a predicate says it is; what the identity does not prove is empty."""

    issuer: str
    repository_id: str = ""
    owner_id: str = ""
    subject: str = ""


def source_ids(form: Form, definition: Mapping[str, Any]) -> SourceIds:
    """Read them from a `buildDefinition` that the form's schema has accepted."""
    internal = definition["internalParameters"]
    issuer = internal["upload"]["issuer"]
    if form.ids is None:
        subject = definition["externalParameters"][form.external_member]["subject"]
        return SourceIds(issuer, subject=subject)
    own = internal[form.member]
    return SourceIds(issuer, own[form.ids.repository], own[form.ids.owner])
