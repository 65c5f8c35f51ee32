"""From verified claims to witnessed facts: a table for each platform that a person can read.

Each row names the claim, the fact that it becomes, whether it must be there, and its form. Claims
without a row are ignored. A row that is optional and absent becomes the empty text.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from access.domain.identity_token import VerifiedToken, is_text, shown, text_claim
from access.errors import ClaimInvalid, EventNotAllowed
from provenance.domain.build_facts import Hosting, Platform, Witnessed


@dataclass(frozen=True, slots=True)
class Check:
    """The form of a claim: what people are told, and the test."""

    expected: str
    accepts: Callable[[str], bool]


def _matching(expected: str, pattern: str) -> Check:
    compiled = re.compile(pattern, re.ASCII)
    return Check(expected, lambda value: compiled.fullmatch(value) is not None)


TEXT: Final = Check("printable text", is_text)
NUMBER: Final = _matching("a number", r"[1-9][0-9]{0,19}")
COMMIT: Final = _matching("a commit: 40 or 64 hex digits", r"[0-9a-f]{40}|[0-9a-f]{64}")
FLAG: Final = _matching("true or false", r"true|false")
REF: Final = _matching("a full ref: refs/…", r"refs/[^ ]+")
OWNER: Final = _matching("an owner's name", r"[A-Za-z0-9_.-]{1,64}")
REPOSITORY: Final = _matching("owner/name", r"[A-Za-z0-9_.-]{1,64}/[A-Za-z0-9_.-]{1,100}")
VISIBILITY: Final = _matching("public, private or internal", r"public|private|internal")
_PATH: Final = r"\.github/workflows/[^/@\\]{1,200}\.ya?ml"
WORKFLOW_PATH: Final = Check(
    ".github/workflows/<file>.yml",
    lambda value: is_text(value) and re.fullmatch(_PATH, value) is not None,
)
WORKFLOW_REF: Final = Check(
    "owner/name/.github/workflows/<file>.yml@<ref>",
    lambda value: _workflow(value) is not None,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One claim of a platform and the fact that it becomes."""

    claim: str
    fact: str
    check: Check
    is_required: bool


_required = partial(Row, is_required=True)
_optional = partial(Row, is_required=False)

# https://docs.github.com/en/actions/reference/security/oidc
GITHUB: Final[Sequence[Row]] = (
    _required("repository", "repository", REPOSITORY),
    _required("repository_id", "repository_id", NUMBER),
    _required("repository_owner", "owner", OWNER),
    _required("repository_owner_id", "owner_id", NUMBER),
    _optional("repository_visibility", "visibility", VISIBILITY),
    _required("event_name", "event", TEXT),
    _required("ref", "ref", REF),
    _optional("ref_protected", "ref_protected", FLAG),
    _required("sha", "commit", COMMIT),
    _required("workflow_ref", "workflow_ref", WORKFLOW_REF),
    _required("workflow_sha", "workflow_commit", COMMIT),
    _required("job_workflow_ref", "job_workflow_ref", WORKFLOW_REF),
    _optional("job_workflow_sha", "job_workflow_commit", COMMIT),
    _required("run_id", "run_id", NUMBER),
    _required("run_attempt", "run_attempt", NUMBER),
    _optional("check_run_id", "job_id", NUMBER),
    _optional("environment", "environment", TEXT),
)

# Everything that is not here is refused. `pull_request_target` and `workflow_run` run with the
# rights of the base repository on code that may be a stranger's: they can never be here.
GITHUB_EVENTS: Final = ("push", "release", "workflow_dispatch", "schedule")

# Anything that the platform adds later counts as unknown, and unknown as self-hosted.
GITHUB_HOSTING: Final[Mapping[object, Hosting]] = {
    "github-hosted": Hosting.HOSTED,
    "self-hosted": Hosting.SELF_HOSTED,
}

GITHUB_COM: Final = "https://token.actions.githubusercontent.com"
_GHE_COM: Final = re.compile(r"token\.actions\.([a-z0-9-]+\.ghe\.com)")


def witnessed_facts(token: VerifiedToken, *, platform: Platform, issuer_name: str) -> Witnessed:
    """What the token witnesses of the job, by its platform's table.

    Raises:
        ClaimMissing: a required claim is not there.
        ClaimInvalid: a claim has another form, or contradicts another one.
        EventNotAllowed: jobs of this event may not upload.
    """
    return _READERS[platform](token, issuer_name)


def github_facts(token: VerifiedToken, issuer_name: str) -> Witnessed:
    """The facts of a GitHub Actions job; see `witnessed_facts`."""
    facts = {row.fact: _fact(row, token.claims) for row in GITHUB}
    if facts["event"] not in GITHUB_EVENTS:
        raise EventNotAllowed(found=facts["event"], allowed=GITHUB_EVENTS)
    workflow_path = _check_agreement(facts)
    hosting = token.claims.get("runner_environment")
    return Witnessed(
        platform=Platform.GITHUB,
        issuer=token.issuer,
        issuer_name=issuer_name,
        hosting=GITHUB_HOSTING.get(hosting if isinstance(hosting, str) else "", Hosting.UNKNOWN),
        confirmed=False,
        server_url=_server_url(token.issuer),
        workflow_path=workflow_path,
        token_id_sha256=token.token_id_sha256,
        **facts,
    )


_READERS: Final[Mapping[Platform, Callable[[VerifiedToken, str], Witnessed]]] = {
    Platform.GITHUB: github_facts,
}


def _fact(row: Row, claims: Mapping[str, object]) -> str:
    # An optional claim that does not apply is absent or empty, by platform and version.
    if not row.is_required and claims.get(row.claim) in (None, ""):
        return ""
    value = text_claim(claims, row.claim)
    if not row.check.accepts(value):
        raise ClaimInvalid(claim=row.claim, expected=row.check.expected, found=shown(value))
    return value


def _check_agreement(facts: Mapping[str, str]) -> str:
    """Refuse facts that contradict one another; the answer is the workflow's path."""
    repository, workflow_ref = facts["repository"], facts["workflow_ref"]
    if repository.split("/")[0] != facts["owner"]:
        raise ClaimInvalid(
            claim="repository_owner", expected=repository.split("/")[0], found=facts["owner"]
        )
    workflow = _workflow(workflow_ref)
    if workflow is None or workflow[0] != repository:
        raise ClaimInvalid(
            claim="workflow_ref", expected=f"a workflow of {repository}", found=workflow_ref
        )
    # For every allowed event the workflow is read from the ref or the commit that it runs on.
    if workflow[2] not in (facts["ref"], facts["commit"]):
        raise ClaimInvalid(
            claim="workflow_ref", expected=f"…@{facts['ref']}", found=f"…@{workflow[2]}"
        )
    # A reusable workflow is somebody else's code that runs in this job. Until publishers can
    # name one, it is refused.
    if facts["job_workflow_ref"] != workflow_ref:
        raise ClaimInvalid(
            claim="job_workflow_ref", expected=workflow_ref, found=facts["job_workflow_ref"]
        )
    return workflow[1]


def _workflow(value: str) -> tuple[str, str, str] | None:
    """Repository, path and ref of a `workflow_ref`; None when it has another form.

    A path has no `@`, a ref may have one: the first divides.
    """
    place, at, ref = value.partition("@")
    match place.split("/", 2):
        case [owner, name, path] if at and WORKFLOW_PATH.accepts(path):
            repository = f"{owner}/{name}"
            is_whole = REPOSITORY.accepts(repository) and (REF.accepts(ref) or COMMIT.accepts(ref))
            return (repository, path, ref) if is_whole else None
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
