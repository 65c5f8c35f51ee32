"""Which predicate field comes from where: the table behind the builder and buildType pages.

A test holds it against a real predicate in both directions, so that the pages cannot leave a
field out or promise one that is not there (SLSA v1.2, "Provenance": fields and who generates
them SHOULD be documented).
"""

from dataclasses import dataclass
from typing import Final

_BD: Final = "buildDefinition"
_RD: Final = "runDetails"


@dataclass(frozen=True, slots=True)
class Field:
    """One leaf of the predicate: its path, its source, and what it means."""

    path: str
    source: str
    meaning: str


CLAIMS: Final = "identity token"
STORE: Final = "this store"

FIELDS: Final = (
    Field(f"{_BD}/buildType", STORE, "the address of the page that specifies this form"),
    Field(
        f"{_BD}/externalParameters/workflow/repository",
        f"{CLAIMS}: issuer's server and repository",
        "the repository whose workflow ran",
    ),
    Field(f"{_BD}/externalParameters/workflow/ref", f"{CLAIMS}: ref", "the ref it ran on"),
    Field(
        f"{_BD}/externalParameters/workflow/path",
        f"{CLAIMS}: workflow_ref, without repository and ref",
        "the workflow's file",
    ),
    Field(f"{_BD}/internalParameters/github/event_name", f"{CLAIMS}: event_name", "the trigger"),
    Field(
        f"{_BD}/internalParameters/github/repository_id",
        f"{CLAIMS}: repository_id",
        "the repository's id, which a new repository of the same name does not get",
    ),
    Field(
        f"{_BD}/internalParameters/github/repository_owner_id",
        f"{CLAIMS}: repository_owner_id",
        "the owner's id",
    ),
    Field(
        f"{_BD}/internalParameters/github/repository_visibility",
        f"{CLAIMS}: repository_visibility",
        "public, private or internal",
    ),
    Field(
        f"{_BD}/internalParameters/github/runner_environment",
        f"{CLAIMS}: runner_environment",
        "hosted, self-hosted or unknown",
    ),
    Field(f"{_BD}/internalParameters/github/run_id", f"{CLAIMS}: run_id", "the run"),
    Field(f"{_BD}/internalParameters/github/run_attempt", f"{CLAIMS}: run_attempt", "the attempt"),
    Field(
        f"{_BD}/internalParameters/github/check_run_id",
        f"{CLAIMS}: check_run_id",
        "the job, where the platform names it",
    ),
    Field(
        f"{_BD}/internalParameters/github/ref_protected",
        f"{CLAIMS}: ref_protected",
        "whether the ref was protected",
    ),
    Field(
        f"{_BD}/internalParameters/github/environment",
        f"{CLAIMS}: environment",
        "the deployment environment, if the job had one",
    ),
    Field(f"{_BD}/internalParameters/upload/issuer", f"{CLAIMS}: iss", "who signed the token"),
    Field(f"{_BD}/internalParameters/upload/project", STORE, "the project's id in this store"),
    Field(f"{_BD}/internalParameters/upload/build", STORE, "the build's id in this store"),
    Field(
        f"{_BD}/internalParameters/upload/confirmed",
        "the platform's API",
        "whether the platform was asked about this very job and agreed",
    ),
    Field(
        f"{_BD}/internalParameters/upload/token_id_sha256",
        f"{CLAIMS}: SHA-256 of jti",
        "which token it was, without giving its id away",
    ),
    Field(f"{_BD}/resolvedDependencies/name", STORE, "source, workflow or job_workflow"),
    Field(
        f"{_BD}/resolvedDependencies/uri",
        f"{CLAIMS}: repository, ref, workflow_ref, job_workflow_ref",
        "the git address",
    ),
    Field(
        f"{_BD}/resolvedDependencies/digest/gitCommit",
        f"{CLAIMS}: sha, workflow_sha, job_workflow_sha",
        "the commit",
    ),
    Field(f"{_RD}/builder/id", STORE, "the address of the builder's page"),
    Field(
        f"{_RD}/metadata/invocationId",
        f"{CLAIMS}: repository, run_id, run_attempt",
        "the page of the run",
    ),
    Field(f"{_RD}/metadata/startedOn", STORE, "when the build was opened here (UTC)"),
    Field(f"{_RD}/metadata/finishedOn", STORE, "when the build was sealed here (UTC)"),
)
