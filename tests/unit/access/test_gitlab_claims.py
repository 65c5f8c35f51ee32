"""GitLab's claims become facts by one table, and a generic issuer's by a shorter one."""

from dataclasses import fields
from typing import Any

import pytest

from access.domain.claims import witnessed_facts
from access.domain.gitlab import AGREEING, EVENTS, ROWS
from access.domain.identity_token import VerifiedToken, parse_unverified, verify
from kernel.errors import Refusal
from provenance.domain.build_facts import Hosting, Platform, Witnessed
from tests.factories.identity_tokens import (
    AUDIENCE,
    COMMIT,
    GITLAB,
    NOW,
    claims,
    gitlab_claims,
    public_key,
    rsa_key,
    signed,
)

CONFIG = "gitlab.com/acme/tools/widget//.gitlab-ci.yml@refs/heads/main"
REQUIRED = [row.claim for row in (*ROWS, *AGREEING) if row.is_required]
OPTIONAL = [row for row in ROWS if not row.is_required]


def verified(members: dict[str, Any]) -> VerifiedToken:
    unverified = parse_unverified(signed(members))
    return verify(unverified, key=public_key(rsa_key()), audience=AUDIENCE, now=NOW)


def facts(**changes: Any) -> Witnessed:
    token = verified(gitlab_claims(**changes))
    return witnessed_facts(token, platform=Platform.GITLAB, issuer_name="gitlab")


def refusal(**changes: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        facts(**changes)
    return refused.value


def test_reads_the_facts_of_a_job() -> None:
    assert facts(environment="release") == Witnessed(
        platform=Platform.GITLAB,
        issuer=GITLAB,
        issuer_name="gitlab",
        subject="project_path:acme/tools/widget:ref_type:branch:ref:main",
        hosting=Hosting.HOSTED,
        confirmed=False,
        server_url="https://gitlab.com",
        repository="acme/tools/widget",
        repository_id="4242",
        owner="acme/tools",
        owner_id="77",
        visibility="private",
        ref="refs/heads/main",
        ref_protected="true",
        commit=COMMIT,
        workflow_path=".gitlab-ci.yml",
        workflow_ref="acme/tools/widget//.gitlab-ci.yml@refs/heads/main",
        workflow_commit=COMMIT,
        job_workflow_ref="",
        job_workflow_commit="",
        event="push",
        run_id="9000000001",
        run_attempt="",
        job_id="31337",
        environment="release",
        token_id_sha256=verified(gitlab_claims()).token_id_sha256,
    )


@pytest.mark.parametrize("claim", REQUIRED)
def test_refuses_a_job_without_a_required_claim(claim: str) -> None:
    refused = refusal(**{claim: None})

    assert refused.code == "claim-missing"
    assert refused.facts == {"claim": claim}


@pytest.mark.parametrize("claim", [*REQUIRED, "job_project_id"])
@pytest.mark.parametrize("value", [42, True, ["x"], {"x": 1}, "x" * 501, "a\nb", "a\x00b"])
def test_refuses_a_claim_that_is_no_plain_text(claim: str, value: Any) -> None:
    refused = refusal(**{claim: value})

    assert refused.code == "claim-invalid"
    assert refused.facts["claim"] == claim


@pytest.mark.parametrize("row", OPTIONAL)
@pytest.mark.parametrize("value", [None, ""])
def test_takes_an_optional_claim_that_is_absent_for_empty(row: Any, value: Any) -> None:
    assert getattr(facts(**{row.claim: value}), row.fact) == ""


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("project_path", "widget"),
        ("project_path", "acme/tools/../widget"),
        ("project_path", "acme//widget"),
        ("project_path", "acme/tools/widget "),
        ("project_id", "042"),
        ("project_id", "٤٢"),
        ("namespace_path", "acme"),
        ("namespace_path", "evil/tools"),
        ("namespace_id", "0x4d"),
        ("project_visibility", "secret"),
        ("ref_path", "main"),
        ("ref_path", "refs/heads/other"),
        ("ref_path", "refs/tags/main"),
        ("ref_path", "refs/merge-requests/1/head"),
        ("ref_type", "merge"),
        ("ref_protected", "yes"),
        ("sha", "main"),
        ("ci_config_sha", "1F" * 20),
        ("pipeline_id", "latest"),
        ("job_id", "0"),
        ("job_project_id", "acme/tools/widget"),
    ],
)
def test_refuses_a_claim_of_another_form(claim: str, value: str) -> None:
    refused = refusal(**{claim: value})

    assert refused.code == "claim-invalid"
    assert facts().repository == "acme/tools/widget"


@pytest.mark.parametrize(
    "value",
    [
        # A file of another project, of another server, from an address, or of no place at all.
        "gitlab.com/evil/ci//.gitlab-ci.yml@refs/heads/main",
        "gitlab.com/acme/tools/widget2//.gitlab-ci.yml@refs/heads/main",
        "gitlab.com/acme/tools//.gitlab-ci.yml@refs/heads/main",
        "gitlab.com.evil.example/acme/tools/widget//.gitlab-ci.yml@refs/heads/main",
        "https://gitlab.com/acme/tools/widget//.gitlab-ci.yml@refs/heads/main",
        "https://evil.example/ci.yml",
        "acme/tools/widget//.gitlab-ci.yml@refs/heads/main",
        "gitlab.com/acme/tools/widget/.gitlab-ci.yml@refs/heads/main",
        "gitlab.com/acme/tools/widget//../evil//.gitlab-ci.yml@refs/heads/main",
        "gitlab.com/acme/tools/widget//ci//x.yml@refs/heads/main",
        "gitlab.com/acme/tools/widget///x.yml@refs/heads/main",
        "gitlab.com/acme/tools/widget//ci.sh@refs/heads/main",
        # Another ref, or none.
        "gitlab.com/acme/tools/widget//.gitlab-ci.yml@refs/heads/evil",
        "gitlab.com/acme/tools/widget//.gitlab-ci.yml@",
        "gitlab.com/acme/tools/widget//.gitlab-ci.yml",
    ],
)
def test_refuses_a_pipeline_file_that_is_not_this_projects_at_this_ref(value: str) -> None:
    refused = refusal(ci_config_ref_uri=value)

    assert refused.code == "claim-invalid"
    assert refused.facts["claim"] == "ci_config_ref_uri"
    assert facts(ci_config_ref_uri=CONFIG).workflow_path == ".gitlab-ci.yml"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"ci_config_ref_uri": CONFIG.replace(".gitlab-ci.yml", "ci/a b.yaml")}, "ci/a b.yaml"),
        ({"ci_config_ref_uri": CONFIG.replace("refs/heads/main", COMMIT)}, ".gitlab-ci.yml"),
        (
            {
                "ref": "v1@2",
                "ref_type": "tag",
                "ref_path": "refs/tags/v1@2",
                "ci_config_ref_uri": CONFIG.replace("heads/main", "tags/v1@2"),
            },
            ".gitlab-ci.yml",
        ),
        (
            {
                "iss": "https://git.acme.test:8443",
                "ci_config_ref_uri": CONFIG.replace("gitlab.com", "git.acme.test:8443"),
            },
            ".gitlab-ci.yml",
        ),
    ],
)
def test_reads_the_path_of_every_pipeline_file_that_is(change: dict[str, str], path: str) -> None:
    assert facts(**change).workflow_path == path


FORKS: list[dict[str, Any]] = [
    {"job_project_id": "666"},
    {"job_project_id": "666", "pipeline_source": "merge_request_event"},
    {"project_id": "666", "pipeline_source": "merge_request_event"},
]


@pytest.mark.parametrize("change", FORKS)
def test_refuses_the_pipeline_of_a_fork(change: dict[str, Any]) -> None:
    refused = refusal(**change)

    assert refused.code == "fork-not-allowed"
    assert facts(pipeline_source="merge_request_event").event == "merge_request_event"


def test_refuses_a_merge_request_where_a_fork_cannot_be_told() -> None:
    refused = refusal(pipeline_source="merge_request_event", job_project_id=None)

    assert refused.code == "claim-missing"
    assert refused.facts == {"claim": "job_project_id"}
    assert facts(job_project_id=None).repository_id == "4242"


@pytest.mark.parametrize("event", EVENTS.known)
def test_accepts_the_events_of_the_lists(event: str) -> None:
    assert facts(pipeline_source=event).event == event


@pytest.mark.parametrize(
    "event", ["external_pull_request_event", "parent_pipeline", "chat", "webide", "Push", "push "]
)
def test_refuses_every_other_event(event: str) -> None:
    assert refusal(pipeline_source=event).code == "event-not-allowed"


@pytest.mark.parametrize(
    ("claim", "hosting"),
    [
        ("gitlab-hosted", Hosting.HOSTED),
        ("self-hosted", Hosting.SELF_HOSTED),
        ("github-hosted", Hosting.UNKNOWN),
        (None, Hosting.UNKNOWN),
        (["gitlab-hosted"], Hosting.UNKNOWN),
    ],
)
def test_believes_in_hosted_runners_only_by_their_exact_word(claim: Any, hosting: Hosting) -> None:
    assert facts(runner_environment=claim).hosting is hosting


def test_reads_no_platforms_token_by_anothers_table() -> None:
    for platform, members in ((Platform.GITHUB, gitlab_claims()), (Platform.GITLAB, claims())):
        with pytest.raises(Refusal) as refused:
            witnessed_facts(verified(members), platform=platform, issuer_name="x")

        assert refused.value.code == "claim-missing"


def test_takes_nothing_but_the_subject_from_a_generic_issuer() -> None:
    found = witnessed_facts(verified(claims()), platform=Platform.GENERIC, issuer_name="other")

    told = {field.name for field in fields(Witnessed) if getattr(found, field.name)}
    assert told == {"platform", "issuer", "issuer_name", "subject", "hosting", "token_id_sha256"}
    assert found.hosting is Hosting.UNKNOWN


@pytest.mark.parametrize("value", [None, "", 5, "a\nb"])
def test_refuses_a_generic_identity_without_a_subject(value: Any) -> None:
    with pytest.raises(Refusal):
        witnessed_facts(verified(claims(sub=value)), platform=Platform.GENERIC, issuer_name="other")
