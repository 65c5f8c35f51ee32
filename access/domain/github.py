"""GitHub's table of claims, and what in them must agree.

https://docs.github.com/en/actions/reference/security/oidc
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from access.domain.claim_rows import (
    COMMIT,
    FLAG,
    NUMBER,
    REF,
    TEXT,
    VISIBILITY,
    Check,
    Events,
    Row,
    matching,
    optional,
    read,
    required,
)
from access.domain.identity_token import VerifiedToken, is_text
from access.errors import ClaimInvalid, ClaimMissing, EventNotAllowed
from provenance.domain.build_facts import Hosting, Platform, Witnessed

OWNER: Final = matching("an owner's name", r"[A-Za-z0-9_.-]{1,64}")
REPOSITORY: Final = matching("owner/name", r"[A-Za-z0-9_.-]{1,64}/[A-Za-z0-9_.-]{1,100}")
_PATH: Final = r"\.github/workflows/[^/@\\]{1,200}\.ya?ml"
WORKFLOW_PATH: Final = Check(
    ".github/workflows/<file>.yml",
    lambda value: is_text(value) and re.fullmatch(_PATH, value) is not None,
)
WORKFLOW: Final = Check(
    "owner/name/.github/workflows/<file>.yml",
    lambda value: _place(value) is not None,
)
WORKFLOW_REF: Final = Check(
    "owner/name/.github/workflows/<file>.yml@<ref>",
    lambda value: _workflow(value) is not None,
)

ROWS: Final[Sequence[Row]] = (
    required("repository", "repository", REPOSITORY),
    required("repository_id", "repository_id", NUMBER),
    required("repository_owner", "owner", OWNER),
    required("repository_owner_id", "owner_id", NUMBER),
    optional("repository_visibility", "visibility", VISIBILITY),
    optional("sub", "subject", TEXT),
    required("event_name", "event", TEXT),
    required("ref", "ref", REF),
    optional("ref_protected", "ref_protected", FLAG),
    required("sha", "commit", COMMIT),
    required("workflow_ref", "workflow_ref", WORKFLOW_REF),
    required("workflow_sha", "workflow_commit", COMMIT),
    required("job_workflow_ref", "job_workflow_ref", WORKFLOW_REF),
    optional("job_workflow_sha", "job_workflow_commit", COMMIT),
    required("run_id", "run_id", NUMBER),
    required("run_attempt", "run_attempt", NUMBER),
    optional("check_run_id", "job_id", NUMBER),
    optional("environment", "environment", TEXT),
)

# `pull_request_target` and `workflow_run` run with the rights of the base repository on code that
# may be a stranger's: they can never be here.
EVENTS: Final = Events(
    usual=("push", "release", "workflow_dispatch", "schedule"),
    opt_in=("pull_request", "merge_group", "repository_dispatch"),
)

# Anything that the platform adds later counts as unknown, and unknown as self-hosted.
HOSTING: Final[Mapping[object, Hosting]] = {
    "github-hosted": Hosting.HOSTED,
    "self-hosted": Hosting.SELF_HOSTED,
}

GITHUB_COM: Final = "https://token.actions.githubusercontent.com"
_GHE_COM: Final = re.compile(r"token\.actions\.([a-z0-9-]+\.ghe\.com)")


def facts(token: VerifiedToken, issuer_name: str) -> Witnessed:
    """The facts of a GitHub Actions job; see `claims.witnessed_facts`."""
    found = read(ROWS, token.claims)
    if found["event"] not in EVENTS.known:
        raise EventNotAllowed(found=found["event"], allowed=EVENTS.known)
    workflow_path = _check_agreement(found)
    hosting = token.claims.get("runner_environment")
    return Witnessed(
        platform=Platform.GITHUB,
        issuer=token.issuer,
        issuer_name=issuer_name,
        hosting=HOSTING.get(hosting if isinstance(hosting, str) else "", Hosting.UNKNOWN),
        confirmed=False,
        server_url=_server_url(token.issuer),
        workflow_path=workflow_path,
        token_id_sha256=token.token_id_sha256,
        **found,
    )


def workflow_of(workflow_ref: str) -> str:
    """`owner/name/path` of a `workflow_ref`, without its ref."""
    return workflow_ref.partition("@")[0]


def _check_agreement(found: Mapping[str, str]) -> str:
    """Refuse facts that contradict one another; the answer is the workflow's path."""
    repository, workflow_ref = found["repository"], found["workflow_ref"]
    if repository.split("/")[0] != found["owner"]:
        raise ClaimInvalid(
            claim="repository_owner", expected=repository.split("/")[0], found=found["owner"]
        )
    workflow = _workflow(workflow_ref)
    if workflow is None or workflow[0] != repository:
        raise ClaimInvalid(
            claim="workflow_ref", expected=f"a workflow of {repository}", found=workflow_ref
        )
    # For every known event the workflow is read from the ref or the commit that it runs on.
    if workflow[2] not in (found["ref"], found["commit"]):
        raise ClaimInvalid(
            claim="workflow_ref", expected=f"…@{found['ref']}", found=f"…@{workflow[2]}"
        )
    # A reusable workflow is somebody else's code that runs in this job: publishers decide whether
    # it may, and provenance names its commit.
    if found["job_workflow_ref"] != workflow_ref and not found["job_workflow_commit"]:
        raise ClaimMissing(claim="job_workflow_sha")
    return workflow[1]


def _workflow(value: str) -> tuple[str, str, str] | None:
    """Repository, path and ref of a `workflow_ref`; None when it has another form.

    A path has no `@`, a ref may have one: the first divides.
    """
    place, at, ref = value.partition("@")
    found = _place(place)
    if found is None or not at or not (REF.accepts(ref) or COMMIT.accepts(ref)):
        return None
    return (*found, ref)


def _place(value: str) -> tuple[str, str] | None:
    """Repository and path of a workflow; None when it has another form."""
    match value.split("/", 2):
        case [owner, name, path] if WORKFLOW_PATH.accepts(path):
            repository = f"{owner}/{name}"
            return (repository, path) if REPOSITORY.accepts(repository) else None
        case _:
            return None


def _server_url(issuer: str) -> str:
    """The web address of the platform whose issuer this is; the token has no claim for it.

    GitHub.com and its data-residency hosts have issuers of their own names; an own GitHub server
    (https://HOST/_services/token) and the development issuer speak for the host they stand on.
    """
    parts = urlsplit(issuer)
    if parts.hostname == urlsplit(GITHUB_COM).hostname:
        return "https://github.com"
    tenant = _GHE_COM.fullmatch(parts.hostname or "")
    if tenant is not None:
        return f"https://{tenant[1]}"
    return f"{parts.scheme}://{parts.netloc}"
