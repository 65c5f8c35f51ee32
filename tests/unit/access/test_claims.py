"""GitHub's claims become facts by one table: every row is missed, emptied and twisted once."""

from dataclasses import fields
from typing import Any

import pytest

from access.domain.claims import witnessed_facts
from access.domain.github import EVENTS
from access.domain.github import ROWS as GITHUB
from access.domain.identity_token import VerifiedToken, parse_unverified, verify
from kernel.errors import Refusal
from provenance.domain.build_facts import Hosting, Platform, Witnessed
from tests.factories.identity_tokens import (
    AUDIENCE,
    COMMIT,
    ISSUER,
    NOW,
    WORKFLOW_REF,
    claims,
    public_key,
    rsa_key,
    signed,
)

REQUIRED = [row.claim for row in GITHUB if row.is_required]
OPTIONAL = [row.claim for row in GITHUB if not row.is_required]


def token(**changes: Any) -> VerifiedToken:
    unverified = parse_unverified(signed(claims(**changes)))
    return verify(unverified, key=public_key(rsa_key()), audience=AUDIENCE, now=NOW)


def facts(**changes: Any) -> Witnessed:
    return witnessed_facts(token(**changes), platform=Platform.GITHUB, issuer_name="github")


def refusal(**changes: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        facts(**changes)
    return refused.value


def test_reads_the_facts_of_a_job() -> None:
    assert facts(environment="release") == Witnessed(
        platform=Platform.GITHUB,
        issuer=ISSUER,
        issuer_name="github",
        subject="repo:acme/widget:ref:refs/heads/main",
        hosting=Hosting.HOSTED,
        confirmed=False,
        server_url="https://github.com",
        repository="acme/widget",
        repository_id="4242",
        owner="acme",
        owner_id="77",
        visibility="private",
        ref="refs/heads/main",
        ref_protected="true",
        commit=COMMIT,
        workflow_path=".github/workflows/release.yml",
        workflow_ref=WORKFLOW_REF,
        workflow_commit=COMMIT,
        job_workflow_ref=WORKFLOW_REF,
        job_workflow_commit=COMMIT,
        event="push",
        run_id="9000000001",
        run_attempt="1",
        job_id="31337",
        environment="release",
        token_id_sha256=token().token_id_sha256,
    )


def test_fills_every_fact_from_a_row_or_by_a_rule_of_its_own() -> None:
    by_rule = {
        "platform",
        "issuer",
        "issuer_name",
        "hosting",
        "confirmed",
        "server_url",
        "workflow_path",
        "token_id_sha256",
    }

    assert {row.fact for row in GITHUB} | by_rule == {field.name for field in fields(Witnessed)}
    assert not {row.fact for row in GITHUB} & by_rule


@pytest.mark.parametrize("claim", REQUIRED)
def test_refuses_a_job_without_a_required_claim(claim: str) -> None:
    refused = refusal(**{claim: None})

    assert refused.code == "claim-missing"
    assert refused.facts == {"claim": claim}


@pytest.mark.parametrize("claim", REQUIRED)
@pytest.mark.parametrize("value", ["", 42, True, ["x"], {"x": 1}, "x" * 501, "a\nb", "a\x00b"])
def test_refuses_a_required_claim_that_is_no_plain_text(claim: str, value: Any) -> None:
    refused = refusal(**{claim: value})

    assert refused.code == "claim-invalid"
    assert refused.facts["claim"] == claim


@pytest.mark.parametrize("claim", OPTIONAL)
@pytest.mark.parametrize("value", [42, True, ["x"], "x" * 501, "a\nb", "a\u202eb", "\ud800"])
def test_refuses_an_optional_claim_that_is_no_plain_text(claim: str, value: Any) -> None:
    refused = refusal(**{claim: value})

    assert refused.code == "claim-invalid"
    assert refused.facts["claim"] == claim


@pytest.mark.parametrize("row", [row for row in GITHUB if not row.is_required])
@pytest.mark.parametrize("value", [None, ""])
def test_takes_an_optional_claim_that_is_absent_for_empty(row: Any, value: Any) -> None:
    assert getattr(facts(**{row.claim: value}), row.fact) == ""


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("repository", "acme"),
        ("repository", "acme/widget/more"),
        ("repository", "acme/../widget"),
        ("repository", "acme /widget"),
        ("repository_id", "042"),
        ("repository_id", "0"),
        ("repository_id", "-1"),
        ("repository_id", "4242 "),
        ("repository_id", "٤٢"),
        ("repository_id", "1" * 21),
        ("repository_owner_id", "0x4d"),
        ("repository_owner", "evil"),
        ("repository_visibility", "secret"),
        ("ref", "main"),
        ("ref", "refs/heads/ma in"),
        ("ref_protected", "yes"),
        ("sha", "1f" * 19),
        ("sha", "1F" * 20),
        ("sha", "main"),
        ("workflow_sha", "1f" * 21),
        ("job_workflow_sha", "zz" * 20),
        ("run_id", "latest"),
        ("run_attempt", "0"),
        ("check_run_id", "a"),
    ],
)
def test_refuses_a_claim_of_another_form(claim: str, value: str) -> None:
    refused = refusal(**{claim: value})

    assert refused.code == "claim-invalid"
    assert refused.facts["claim"] == claim


def workflow(value: str) -> dict[str, str]:
    return {"workflow_ref": value, "job_workflow_ref": value}


@pytest.mark.parametrize(
    "value",
    [
        # A workflow of another repository, and names that only look like this one.
        "evil/widget/.github/workflows/release.yml@refs/heads/main",
        "acme/other/.github/workflows/release.yml@refs/heads/main",
        "acme/widget2/.github/workflows/release.yml@refs/heads/main",
        "Acme/widget/.github/workflows/release.yml@refs/heads/main",
        # Another place than the one where workflows are.
        "acme/widget/workflows/release.yml@refs/heads/main",
        "acme/widget/.github/workflows/sub/release.yml@refs/heads/main",
        "acme/widget/.github/workflows/../release.yml@refs/heads/main",
        "acme/widget/.github/workflows/release.sh@refs/heads/main",
        "acme/widget/.github/workflows/.yml@refs/heads/main",
        "acme/widget/x/.github/workflows/release.yml@refs/heads/main",
        # Another ref, or none.
        "acme/widget/.github/workflows/release.yml@refs/heads/evil",
        "acme/widget/.github/workflows/release.yml@main",
        "acme/widget/.github/workflows/release.yml@",
        "acme/widget/.github/workflows/release.yml",
        "acme/widget/.github/workflows/release.yml@refs/heads/x@refs/heads/main",
        "https://github.com/acme/widget/.github/workflows/release.yml@refs/heads/main",
    ],
)
def test_refuses_a_workflow_that_is_not_this_repositorys_at_this_ref(value: str) -> None:
    refused = refusal(**workflow(value))

    assert refused.code == "claim-invalid"
    assert refused.facts["claim"] == "workflow_ref"


@pytest.mark.parametrize(
    ("ref", "value", "path"),
    [
        (
            "refs/tags/v1@2",
            "acme/widget/.github/workflows/release.yaml@refs/tags/v1@2",
            ".github/workflows/release.yaml",
        ),
        (
            "refs/heads/ünï/code",
            "acme/widget/.github/workflows/my release.yml@refs/heads/ünï/code",
            ".github/workflows/my release.yml",
        ),
        (
            "refs/heads/main",
            f"acme/widget/.github/workflows/ci.yml@{COMMIT}",
            ".github/workflows/ci.yml",
        ),
    ],
)
def test_reads_the_path_of_every_workflow_that_is(ref: str, value: str, path: str) -> None:
    assert facts(ref=ref, **workflow(value)).workflow_path == path


def test_witnesses_a_reusable_workflow_with_its_commit_or_not_at_all() -> None:
    value = "acme/ci/.github/workflows/build.yml@refs/heads/main"

    refused = refusal(job_workflow_ref=value, job_workflow_sha=None)

    assert refused.code == "claim-missing"
    assert refused.facts == {"claim": "job_workflow_sha"}
    assert facts(job_workflow_ref=value).job_workflow_ref == value
    assert facts(job_workflow_ref=value).job_workflow_commit == COMMIT


@pytest.mark.parametrize("event", EVENTS.known)
def test_accepts_the_events_of_the_list(event: str) -> None:
    assert facts(event_name=event).event == event


@pytest.mark.parametrize(
    "event",
    ["pull_request_target", "workflow_run", "issue_comment", "Push", "push ", "push, release"],
)
def test_refuses_every_other_event(event: str) -> None:
    refused = refusal(event_name=event)

    assert refused.code == "event-not-allowed"
    assert refused.facts["found"] == event


@pytest.mark.parametrize(
    ("claim", "hosting"),
    [
        ("github-hosted", Hosting.HOSTED),
        ("self-hosted", Hosting.SELF_HOSTED),
        ("GitHub-Hosted", Hosting.UNKNOWN),
        ("", Hosting.UNKNOWN),
        (None, Hosting.UNKNOWN),
        (["github-hosted"], Hosting.UNKNOWN),
        ({"github-hosted": 1}, Hosting.UNKNOWN),
    ],
)
def test_believes_in_hosted_runners_only_by_their_exact_word(claim: Any, hosting: Hosting) -> None:
    assert facts(runner_environment=claim).hosting is hosting


@pytest.mark.parametrize(
    ("issuer", "server"),
    [
        (ISSUER, "https://github.com"),
        (f"{ISSUER}/acme", "https://github.com"),
        ("https://token.actions.acme.ghe.com", "https://acme.ghe.com"),
        ("https://github.acme.example/_services/token", "https://github.acme.example"),
        ("http://127.0.0.1:8421", "http://127.0.0.1:8421"),
        ("https://token.actions.githubusercontent.com.evil.example", None),
        ("https://token.actions.evil.example/x.ghe.com", None),
    ],
)
def test_names_the_server_that_the_issuer_speaks_for(issuer: str, server: str | None) -> None:
    own = "/".join(issuer.split("/")[:3])

    assert facts(iss=issuer).server_url == (server or own)
