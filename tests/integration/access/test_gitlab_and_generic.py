"""The exchange for jobs of GitLab and of any other issuer, up to what a download answers."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from access.domain.issuers import NewIssuer
from access.models import Issuer, Token, UsedTokenId
from access.usecases.add_issuer import InstanceRules, add_issuer
from access.usecases.add_publisher import NewPublisher, add_publisher
from access.usecases.identify_job import Exchange
from access.usecases.mint_token import MintedToken, mint_token
from artifacts.models import Project
from kernel.actor import Actor
from kernel.errors import Refusal
from provenance.domain.build_facts import Platform, Witnessed
from provenance.domain.evidence import Expected
from provenance.usecases.attest_builds import Attestor, Endings, attest_builds
from provenance.usecases.verify_subject import Judge, verify_subject
from tests.factories.ci_issuer import CiIssuer
from tests.factories.identity_tokens import AUDIENCE
from tests.factories.requests import requested, subject_of

pytestmark = pytest.mark.django_db

Mint = Callable[[str], MintedToken]


@pytest.fixture
def mint(exchange: Exchange, now: datetime) -> Mint:
    return lambda token: mint_token(
        identity_token=token, project="acme/widget", exchange=exchange, now=now
    )


def added(
    ci: CiIssuer, platform: Platform, rules: InstanceRules, admin: Actor, now: datetime
) -> Issuer:
    new = NewIssuer("development", ci.url, platform, is_development=True)
    return add_issuer(issuer=new, rules=rules, actor=admin, now=now)


@pytest.fixture
def gitlab(
    ci: CiIssuer, rules: InstanceRules, project: Project, admin: Actor, now: datetime
) -> Issuer:
    issuer = added(ci, Platform.GITLAB, rules, admin, now)
    new = NewPublisher(issuer.name, "4242", "77", ".gitlab-ci.yml")
    add_publisher(project=project, publisher=new, actor=admin, now=now)
    return issuer


@pytest.fixture
def generic(
    ci: CiIssuer, rules: InstanceRules, project: Project, admin: Actor, now: datetime
) -> Issuer:
    issuer = added(ci, Platform.GENERIC, rules, admin, now)
    new = NewPublisher(issuer.name, subject="job:release/widget")
    add_publisher(project=project, publisher=new, actor=admin, now=now)
    return issuer


TAMPERED: list[tuple[str, dict[str, Any]]] = [
    ("wrong-audience", {"aud": "https://other.example"}),
    ("identity-token-expired", {"exp": 1_700_000_000}),
    ("identity-token-lives-too-long", {"exp": 2_900_000_000}),
    ("token-id-missing", {"jti": None}),
    ("unknown-issuer", {"iss": "https://gitlab.com.evil.example"}),
    ("no-matching-publisher", {"project_id": "666", "job_project_id": "666"}),
    # Re-created under the same name: another id, or another owner's.
    ("no-matching-publisher", {"project_id": "4243", "job_project_id": "4243"}),
    ("publisher-mismatch", {"namespace_id": "78"}),
    ("fork-not-allowed", {"job_project_id": "666"}),
    ("fork-not-allowed", {"project_id": "666"}),
    ("claim-missing", {"job_project_id": None, "pipeline_source": "merge_request_event"}),
    ("publisher-mismatch", {"pipeline_source": "merge_request_event"}),
    ("publisher-mismatch", {"pipeline_source": "trigger"}),
    ("event-not-allowed", {"pipeline_source": "external_pull_request_event"}),
    ("claim-missing", {"ci_config_ref_uri": None}),
    ("claim-invalid", {"ci_config_ref_uri": "gitlab.com/evil/ci//.gitlab-ci.yml@refs/heads/main"}),
    ("claim-invalid", {"sha": "main"}),
    ("claim-invalid", {"ref_path": "refs/heads/other"}),
]


@pytest.mark.usefixtures("gitlab")
@pytest.mark.parametrize(("code", "change"), TAMPERED)
def test_refuses_a_tampered_token_and_accepts_its_twin(
    mint: Mint, ci: CiIssuer, code: str, change: dict[str, Any]
) -> None:
    with pytest.raises(Refusal) as refused:
        mint(ci.gitlab_token(**change))

    assert refused.value.code == code
    assert not Token.objects.exists()
    assert not UsedTokenId.objects.exists()
    assert mint(ci.gitlab_token()).project == "acme/widget"


@pytest.mark.usefixtures("gitlab")
def test_gives_a_renamed_project_its_place_by_id_and_witnesses_the_new_name(
    mint: Mint, ci: CiIssuer
) -> None:
    host = ci.url.partition("://")[2]
    minted = mint(
        ci.gitlab_token(
            project_path="acme/instruments/gadget",
            namespace_path="acme/instruments",
            ci_config_ref_uri=f"{host}/acme/instruments/gadget//.gitlab-ci.yml@refs/heads/main",
        )
    )

    facts = Witnessed.from_json(minted.token.facts or {})
    assert facts.repository == "acme/instruments/gadget"
    assert facts.repository_id == "4242"


@pytest.mark.usefixtures("gitlab")
def test_keeps_a_retried_job_apart_and_two_tokens_of_one_job_together(
    mint: Mint, ci: CiIssuer
) -> None:
    keys = [mint(ci.gitlab_token(job_id=job)).token.job_key for job in ("5", "5", "6")]

    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"algorithms": ["ES256"]}, "algorithm-not-allowed"),
        ({"longest_life_seconds": 3599}, "identity-token-lives-too-long"),
    ],
)
def test_holds_an_issuer_to_its_own_limits(
    mint: Mint, ci: CiIssuer, gitlab: Issuer, limits: dict[str, Any], code: str
) -> None:
    assert mint(ci.gitlab_token()).project == "acme/widget"
    Issuer.objects.filter(pk=gitlab.pk).update(**limits)

    with pytest.raises(Refusal) as refused:
        mint(ci.gitlab_token())

    assert refused.value.code == code


@pytest.mark.usefixtures("generic")
def test_knows_a_generic_identity_by_its_subject_and_never_names_another(
    mint: Mint, ci: CiIssuer
) -> None:
    minted = mint(ci.token(sub="job:release/widget"))

    assert minted.token.created_by == "ci:development:job:release/widget"
    assert Witnessed.from_json(minted.token.facts or {}).repository == ""
    with pytest.raises(Refusal) as refused:
        mint(ci.token(sub="job:release/other"))
    assert refused.value.code == "no-matching-publisher"
    assert refused.value.facts == {"issuer": ci.url, "subject": "job:release/other"}


@pytest.mark.usefixtures("gitlab")
def test_attests_and_verifies_what_a_gitlab_job_uploaded(
    mint: Mint, ci: CiIssuer, project: Project, attestor: Attestor, now: datetime
) -> None:
    facts = Witnessed.from_json(mint(ci.gitlab_token()).token.facts or {})
    request = requested(facts, scope=project.scope, now=now)
    endings = Endings(publish=lambda **_build: None, refuse=lambda **_build: None)

    attest_builds(attestor=attestor, endings=endings, clock=lambda: now)

    verdict = verify_subject(
        expected=Expected(project.scope, request.build, subject_of(), AUDIENCE),
        judge=Judge(verifier=attestor.verifier, key_is_shared=False),
        now=now,
    )
    told = verdict.document["provenance"]
    assert verdict.allowed, verdict.document
    assert told["repository"] == f"{ci.url}/acme/tools/widget"
    assert told["invocation"] == f"{ci.url}/acme/tools/widget/-/jobs/31337"
    assert told["build_type"] == f"{AUDIENCE}/buildtypes/gitlab-ci-upload/v1"
    assert told["event"] == "push"
    assert told["hosted"] is True


@pytest.mark.usefixtures("generic")
def test_attests_a_generic_identity_and_claims_no_level(
    mint: Mint, ci: CiIssuer, project: Project, attestor: Attestor, now: datetime
) -> None:
    facts = Witnessed.from_json(mint(ci.token(sub="job:release/widget")).token.facts or {})
    request = requested(facts, scope=project.scope, now=now)
    endings = Endings(publish=lambda **_build: None, refuse=lambda **_build: None)

    attest_builds(attestor=attestor, endings=endings, clock=lambda: now)

    verdict = verify_subject(
        expected=Expected(project.scope, request.build, subject_of(), AUDIENCE),
        judge=Judge(verifier=attestor.verifier, key_is_shared=False),
        now=now,
    )
    assert verdict.allowed, verdict.document
    assert verdict.level.value == "SLSA_BUILD_LEVEL_0"
    assert verdict.document["provenance"]["subject"] == "job:release/widget"
    assert "repository" not in verdict.document["provenance"]
