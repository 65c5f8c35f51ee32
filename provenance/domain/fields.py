"""Which predicate field comes from where: the table behind the builder and buildType pages.

A test holds it against a real predicate in both directions, so that the pages cannot leave a
field out or promise one that is not there (SLSA v1.2, "Provenance": fields and who generates
them SHOULD be documented).
"""

from dataclasses import dataclass
from typing import Final

from provenance.domain.platforms import Form, Parameter

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


def fields_of(form: Form) -> list[Field]:
    """Every leaf that a predicate of this buildType can have, in the order of the document."""
    external = [_row(f"externalParameters/{form.external_member}", one) for one in form.external]
    internal = [_row(f"internalParameters/{form.member}", one) for one in form.internal]
    where = "the address of the page that specifies this form"
    return [
        Field(f"{_BD}/buildType", STORE, where),
        *external,
        *internal,
        *(_CONFIRMATION if form.ids is not None else []),
        *_UPLOAD,
        *(_dependencies(form) if form.ids is not None else []),
        Field(f"{_RD}/builder/id", STORE, "the address of the builder's page"),
        *(_invocation(form) if form.ids is not None else []),
        Field(f"{_RD}/metadata/startedOn", STORE, "when the build was opened here (UTC)"),
        Field(f"{_RD}/metadata/finishedOn", STORE, "when the build was sealed here (UTC)"),
    ]


_ASKED: Final = f"{_BD}/internalParameters/confirmation"
_CONFIRMATION: Final = (
    Field(
        f"{_ASKED}/api", STORE, "which API was asked about the job; absent if none has confirmed it"
    ),
    Field(f"{_ASKED}/asked_at", STORE, "when it answered (UTC)"),
    Field(f"{_ASKED}/compared", STORE, "what token and API agree on"),
    Field(f"{_ASKED}/not_compared/field", STORE, "what could not be compared"),
    Field(f"{_ASKED}/not_compared/why", STORE, "and why not"),
)
_UPLOAD: Final = (
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
)


def _row(place: str, parameter: Parameter) -> Field:
    source = f"{CLAIMS}: {parameter.claim}"
    return Field(f"{_BD}/{place}/{parameter.name}", source, parameter.meaning)


def _dependencies(form: Form) -> list[Field]:
    place = f"{_BD}/resolvedDependencies"
    commit = f"{CLAIMS}: {form.commit_claims}"
    return [
        Field(f"{place}/name", STORE, "source, workflow or job_workflow"),
        Field(f"{place}/uri", f"{CLAIMS}: {form.git_claims}", "the git address"),
        Field(f"{place}/digest/gitCommit", commit, "the commit"),
    ]


def _invocation(form: Form) -> list[Field]:
    source = f"{CLAIMS}: {form.invocation_claims}"
    return [Field(f"{_RD}/metadata/invocationId", source, "the page of the run or job")]
