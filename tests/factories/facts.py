"""Witnessed facts of a job, as a token of the platform's would give them."""

from dataclasses import fields, replace
from typing import Any, Final

from provenance.domain.build_facts import Hosting, Platform, Witnessed

ISSUER = "https://token.actions.githubusercontent.com"
GITLAB = "https://gitlab.com"

_FACTS = Witnessed(
    platform=Platform.GITHUB,
    issuer=ISSUER,
    issuer_name="github",
    subject="repo:acme/widget:ref:refs/tags/v1.4.0",
    hosting=Hosting.HOSTED,
    confirmed=False,
    server_url="https://github.com",
    repository="acme/widget",
    repository_id="4242",
    owner="acme",
    owner_id="77",
    visibility="public",
    ref="refs/tags/v1.4.0",
    ref_protected="true",
    commit="a" * 40,
    workflow_path=".github/workflows/release.yml",
    workflow_ref="acme/widget/.github/workflows/release.yml@refs/tags/v1.4.0",
    workflow_commit="a" * 40,
    job_workflow_ref="acme/widget/.github/workflows/release.yml@refs/tags/v1.4.0",
    job_workflow_commit="a" * 40,
    event="push",
    run_id="9000000001",
    run_attempt="1",
    job_id="31337",
    environment="release",
    token_id_sha256="0" * 64,
)

_GITLAB: Final = replace(
    _FACTS,
    platform=Platform.GITLAB,
    issuer=GITLAB,
    issuer_name="gitlab",
    subject="project_path:acme/tools/widget:ref_type:tag:ref:v1.4.0",
    server_url=GITLAB,
    repository="acme/tools/widget",
    owner="acme/tools",
    workflow_path=".gitlab-ci.yml",
    workflow_ref="acme/tools/widget//.gitlab-ci.yml@refs/tags/v1.4.0",
    job_workflow_ref="",
    job_workflow_commit="",
    run_attempt="",
)

_GENERIC: Final = Witnessed(
    **{
        **dict.fromkeys((field.name for field in fields(Witnessed)), ""),  # type: ignore[arg-type] # every fact that is not proven is empty; the others follow
        "platform": Platform.GENERIC,
        "issuer": "https://ci.acme.test",
        "issuer_name": "acme-ci",
        "subject": "job:release/widget",
        "hosting": Hosting.UNKNOWN,
        "confirmed": False,
        "token_id_sha256": "0" * 64,
    }
)


def witnessed(**changes: Any) -> Witnessed:
    """The facts of acme/widget's release job, with these fields different."""
    return replace(_FACTS, **changes)


def witnessed_on_gitlab(**changes: Any) -> Witnessed:
    """The facts of the same job on GitLab, with these fields different."""
    return replace(_GITLAB, **changes)


def witnessed_by_subject(**changes: Any) -> Witnessed:
    """What a generic issuer proves, with these fields different."""
    return replace(_GENERIC, **changes)
