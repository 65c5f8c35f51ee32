"""Witnessed facts of a job, as a token of the platform's would give them."""

from dataclasses import replace
from typing import Any

from provenance.domain.build_facts import Hosting, Platform, Witnessed

ISSUER = "https://token.actions.githubusercontent.com"

_FACTS = Witnessed(
    platform=Platform.GITHUB,
    issuer=ISSUER,
    issuer_name="github",
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


def witnessed(**changes: Any) -> Witnessed:
    """The facts of acme/widget's release job, with these fields different."""
    return replace(_FACTS, **changes)
