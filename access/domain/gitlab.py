"""GitLab's table of claims, and what in them must agree.

https://docs.gitlab.com/ci/secrets/id_token_authentication/
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

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
from access.errors import ClaimInvalid, ClaimMissing, EventNotAllowed, ForkNotAllowed
from provenance.domain.build_facts import Hosting, Platform, Witnessed

_NAME: Final = r"[A-Za-z0-9_.-]{1,255}"
NAMESPACE: Final = matching("group[/subgroup…]", rf"{_NAME}(/{_NAME}){{0,19}}")
PROJECT: Final = matching("group[/subgroup…]/project", rf"{_NAME}(/{_NAME}){{1,20}}")
# A directory called `..` or a second `//` would make two places of one text.
_FILE: Final = r"(?!.*(?:^|/)\.{0,2}(?:/|$))[^@\\]{1,250}\.ya?ml"
CONFIG_PATH: Final = Check(
    "<path>.yml within the project",
    lambda value: is_text(value) and re.fullmatch(_FILE, value) is not None,
)

# `ref` is the short name, `ref_path` the whole one. `job_project_id` is new in 18.4.
ROWS: Final[Sequence[Row]] = (
    required("project_path", "repository", PROJECT),
    required("project_id", "repository_id", NUMBER),
    required("namespace_path", "owner", NAMESPACE),
    required("namespace_id", "owner_id", NUMBER),
    optional("project_visibility", "visibility", VISIBILITY),
    optional("sub", "subject", TEXT),
    required("pipeline_source", "event", TEXT),
    required("ref_path", "ref", REF),
    optional("ref_protected", "ref_protected", FLAG),
    required("sha", "commit", COMMIT),
    required("ci_config_ref_uri", "workflow_ref", TEXT),
    required("ci_config_sha", "workflow_commit", COMMIT),
    required("pipeline_id", "run_id", NUMBER),
    required("job_id", "job_id", NUMBER),
    optional("environment", "environment", TEXT),
)
# Checked, and then the same as another fact.
AGREEING: Final[Sequence[Row]] = (
    required("ref", "short_ref", TEXT),
    required("ref_type", "ref_type", matching("branch or tag", r"branch|tag")),
    optional("job_project_id", "job_project_id", NUMBER),
)

EVENTS: Final = Events(
    usual=("push", "web", "schedule", "api"),
    opt_in=("merge_request_event", "trigger", "pipeline"),
)
_MERGE_REQUEST: Final = "merge_request_event"

HOSTING: Final[Mapping[object, Hosting]] = {
    "gitlab-hosted": Hosting.HOSTED,
    "self-hosted": Hosting.SELF_HOSTED,
}

GITLAB_COM: Final = "https://gitlab.com"
_REF_PREFIXES: Final = {"branch": "refs/heads/", "tag": "refs/tags/"}


def facts(token: VerifiedToken, issuer_name: str) -> Witnessed:
    """The facts of a GitLab CI job; see `claims.witnessed_facts`."""
    found = read(ROWS, token.claims)
    agreeing = read(AGREEING, token.claims)
    if found["event"] not in EVENTS.known:
        raise EventNotAllowed(found=found["event"], allowed=EVENTS.known)
    _check_project(found, agreeing["job_project_id"])
    wanted_ref = _REF_PREFIXES[agreeing["ref_type"]] + agreeing["short_ref"]
    if found["ref"] != wanted_ref:
        raise ClaimInvalid(claim="ref_path", expected=wanted_ref, found=found["ref"])
    workflow_ref, workflow_path = _config(found, token.issuer)
    hosting = token.claims.get("runner_environment")
    return Witnessed(
        **{
            **found,
            "workflow_ref": workflow_ref,
            "workflow_path": workflow_path,
            # GitLab's token names no job's own file and no attempt: a retried job is a new one.
            "job_workflow_ref": "",
            "job_workflow_commit": "",
            "run_attempt": "",
        },
        platform=Platform.GITLAB,
        issuer=token.issuer,
        issuer_name=issuer_name,
        hosting=HOSTING.get(hosting if isinstance(hosting, str) else "", Hosting.UNKNOWN),
        confirmed=False,
        server_url=token.issuer.rstrip("/"),
        token_id_sha256=token.token_id_sha256,
    )


def _check_project(found: Mapping[str, str], job_project_id: str) -> None:
    """Refuse a fork's pipeline, and a token that cannot say whether it is one.

    For a fork's merge request the two projects differ: `project_*` is the one, the code is the
    other's. Before 18.4 the token named only one of them (GitLab issue 563038).
    """
    if job_project_id and job_project_id != found["repository_id"]:
        raise ForkNotAllowed(project_id=found["repository_id"], job_project_id=job_project_id)
    if not job_project_id and found["event"] == _MERGE_REQUEST:
        raise ClaimMissing(claim="job_project_id")
    namespace = found["repository"].rpartition("/")[0]
    if found["owner"] != namespace:
        raise ClaimInvalid(claim="namespace_path", expected=namespace, found=found["owner"])


def _config(found: Mapping[str, str], issuer: str) -> tuple[str, str]:
    """The pipeline's file within the project: as `project//path@ref`, and its path.

    The claim is `host/project//path@ref`. A file of another project, or from an address, is code
    that the project's own history does not show.
    """
    host = issuer.partition("://")[2].rstrip("/")
    whole = found["workflow_ref"]
    prefix = f"{host}/{found['repository']}//"
    path, at, ref = whole.removeprefix(prefix).partition("@")
    if not whole.startswith(prefix) or not at or not CONFIG_PATH.accepts(path):
        expected = f"{prefix}<path>.yml@<ref>"
        raise ClaimInvalid(claim="ci_config_ref_uri", expected=expected, found=whole)
    if ref not in (found["ref"], found["commit"]):
        raise ClaimInvalid(
            claim="ci_config_ref_uri", expected=f"…@{found['ref']}", found=f"…@{ref}"
        )
    return whole.removeprefix(f"{host}/"), path
