"""Attacks that have names, through the exchange; each beside the job that it imitates."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from access.models import Issuer, Token, TrustedPublisher
from access.usecases.add_publisher import NewPublisher, add_publisher
from artifacts.models import Project
from kernel.actor import Actor
from provenance.domain.build_facts import Witnessed
from provenance.domain.builders import builder_id, mode_of
from tests.factories.ci_issuer import CiIssuer
from tests.factories.identity_tokens import AUDIENCE

pytestmark = pytest.mark.django_db

PATH = ".github/workflows/release.yml"
CI_WORKFLOW = "acme/ci/.github/workflows/build.yml"
Trust = Callable[..., TrustedPublisher]
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def trust(issuer: Issuer, project: Project, admin: Actor, now: datetime) -> Trust:
    """Let the project trust acme/widget's release workflow, on these terms."""

    def call(**terms: Any) -> TrustedPublisher:
        new = replace(NewPublisher(issuer.name, "4242", "77", PATH), **terms)
        return add_publisher(project=project, publisher=new, actor=admin, now=now)

    return call


@pytest.fixture
def gitlab(issuer: Issuer, trust: Trust) -> Trust:
    """The same of acme/tools/widget on GitLab."""
    Issuer.objects.filter(pk=issuer.pk).update(platform="gitlab")
    return lambda **terms: trust(workflow_path=".gitlab-ci.yml", **terms)


@pytest.fixture
def ask(client: Client) -> Ask:
    def call(identity_token: str) -> dict[str, Any]:
        body = json.dumps({"token": identity_token, "project": "acme/widget"})
        response = client.post("/_/oidc/mint-token", body, content_type="application/json")
        answer: dict[str, Any] = response.json()
        assert response.status_code == answer.get("status", 200)
        return answer

    return call


def of(repository: str, ref: str = "refs/heads/main", **more: Any) -> dict[str, Any]:
    """The claims of a job of this repository's own workflow, whose ids stay to be said."""
    workflow = f"{repository}/{PATH}@{ref}"
    return {
        "repository": repository,
        "repository_owner": repository.partition("/")[0],
        "ref": ref,
        "workflow_ref": workflow,
        "job_workflow_ref": workflow,
        **more,
    }


def in_gitlab(ci: CiIssuer, project: str, ref: str = "refs/heads/main") -> dict[str, Any]:
    host = ci.url.partition("://")[2]
    kind, _, name = ref.removeprefix("refs/").partition("/")
    return {
        "project_path": project,
        "namespace_path": project.rpartition("/")[0],
        "ref": name,
        "ref_type": "tag" if kind == "tags" else "branch",
        "ref_path": ref,
        "ci_config_ref_uri": f"{host}/{project}//.gitlab-ci.yml@{ref}",
    }


def test_refuses_a_github_fork_that_pushes(trust: Trust, ask: Ask, ci: CiIssuer) -> None:
    trust()
    fork = {"repository_id": "555", "repository_owner_id": "666"}

    refused = ask(ci.token(**of("mallory/widget", **fork)))

    assert refused["code"] == "no-matching-publisher"
    assert "acme" not in json.dumps(refused)
    assert ask(ci.token(**of("acme/widget")))["project"] == "acme/widget"


def test_refuses_a_github_forks_pull_request(trust: Trust, ask: Ask, ci: CiIssuer) -> None:
    """GitHub gives such a job no token at all. If it did, its event would not be among the usual;
    a publisher that opts in to pull requests takes its own repository's claims, and no fork's.
    """
    trust()
    merge = of("acme/widget", "refs/pull/7/merge", event_name="pull_request")
    fork = {"repository_id": "555", "repository_owner_id": "666"}
    of_fork = of("mallory/widget", "refs/pull/7/merge", event_name="pull_request", **fork)

    refused = ask(ci.token(**merge))
    assert (refused["code"], refused["claim"]) == ("publisher-mismatch", "event")

    trust(events=("pull_request",))
    assert ask(ci.token(**of_fork))["code"] == "no-matching-publisher"
    assert ask(ci.token(**merge))["success"] is True


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
def test_refuses_a_job_that_a_stranger_starts_with_the_repositorys_rights(
    trust: Trust, ask: Ask, ci: CiIssuer, event: str
) -> None:
    trust(events=("pull_request", "merge_group", "repository_dispatch"))

    refused = ask(ci.token(event_name=event))

    assert refused["code"] == "event-not-allowed"
    assert ask(ci.token(event_name="push"))["success"] is True


def test_refuses_the_reusable_workflow_of_a_stranger(trust: Trust, ask: Ask, ci: CiIssuer) -> None:
    trust(reusable_workflow=CI_WORKFLOW)
    own = f"{CI_WORKFLOW}@refs/heads/main"

    for evil in (
        "mallory/ci/.github/workflows/build.yml@refs/heads/main",
        "acme/ci/.github/workflows/other.yml@refs/heads/main",
        "acme/ci2/.github/workflows/build.yml@refs/heads/main",
        "acme/widget/.github/workflows/release.yml@refs/heads/main",
    ):
        refused = ask(ci.token(job_workflow_ref=evil))
        assert (refused["code"], refused["claim"]) == ("publisher-mismatch", "job_workflow_ref")
    assert ask(ci.token(job_workflow_ref=own))["success"] is True


def test_refuses_a_strangers_workflow_that_calls_the_named_reusable_one(
    trust: Trust, ask: Ask, ci: CiIssuer
) -> None:
    """The trusted code runs, in somebody else's repository and over their inputs."""
    trust(reusable_workflow=CI_WORKFLOW)
    fork = {"repository_id": "555", "repository_owner_id": "666"}
    job = {"job_workflow_ref": f"{CI_WORKFLOW}@refs/heads/main"}

    refused = ask(ci.token(**{**of("mallory/widget", **fork), **job}))

    assert refused["code"] == "no-matching-publisher"
    assert ask(ci.token(**job))["success"] is True


def test_refuses_who_takes_the_name_of_a_renamed_repository(
    trust: Trust, ask: Ask, ci: CiIssuer
) -> None:
    trust()

    renamed = ask(ci.token(**of("acme/gadget")))
    taken = ask(ci.token(**of("acme/widget", repository_id="555")))

    assert renamed["success"] is True
    assert taken["code"] == "no-matching-publisher"


def test_refuses_an_owner_that_was_deleted_and_made_again(
    trust: Trust, ask: Ask, ci: CiIssuer
) -> None:
    trust()
    again = {"repository_id": "555", "repository_owner_id": "666"}

    made_again = ask(ci.token(**of("acme/widget", **again)))
    handed_over = ask(ci.token(**of("acme/widget", repository_owner_id="666")))

    assert made_again["code"] == "no-matching-publisher"
    assert handed_over["code"] == "publisher-mismatch"
    assert (handed_over["claim"], handed_over["found"]) == ("owner_id", "666")


def test_refuses_a_tag_with_the_name_of_the_trusted_branch(
    trust: Trust, ask: Ask, ci: CiIssuer
) -> None:
    trust(ref="refs/heads/main")

    for ref in ("refs/tags/main", "refs/heads/main2", "refs/heads/mai", "refs/pull/1/merge"):
        refused = ask(ci.token(**of("acme/widget", ref)))
        assert (refused["code"], refused["claim"]) == ("publisher-mismatch", "ref")
    assert ask(ci.token(**of("acme/widget")))["success"] is True


def test_refuses_a_branch_with_the_name_of_a_trusted_tag(
    trust: Trust, ask: Ask, ci: CiIssuer
) -> None:
    trust(ref="refs/tags/v*")

    for ref in ("refs/heads/v1.0", "refs/tags/v", "refs/tags/V1.0", "refs/heads/refs/tags/v1"):
        refused = ask(ci.token(**of("acme/widget", ref)))
        assert (refused["code"], refused["claim"]) == ("publisher-mismatch", "ref")
    assert ask(ci.token(**of("acme/widget", "refs/tags/v1.0")))["success"] is True


def test_refuses_a_ref_that_is_not_protected(trust: Trust, ask: Ask, ci: CiIssuer) -> None:
    trust(requires_protected_ref=True)

    for said in ("false", "", None):
        refused = ask(ci.token(ref_protected=said))
        assert (refused["code"], refused["claim"]) == ("publisher-mismatch", "ref_protected")
    assert ask(ci.token(ref_protected="true"))["success"] is True


def test_takes_no_other_name_for_the_environment(trust: Trust, ask: Ask, ci: CiIssuer) -> None:
    """A job, a workflow or a branch may be called `release`: only the claim is the environment."""
    trust(environment="release")
    of_branch = of("acme/widget", "refs/heads/release")

    for said in (
        {"environment": None},
        {"environment": None, "workflow": "release", "sub": "repo:acme/widget:environment:release"},
        {**of_branch, "environment": ""},
        {"environment": "Release"},
        {"environment": "release2"},
        {"environment": "staging", "deployment_environment": "release"},
    ):
        refused = ask(ci.token(**said))
        assert (refused["code"], refused["claim"]) == ("publisher-mismatch", "environment"), said
    assert ask(ci.token(environment="release"))["success"] is True


def test_refuses_a_gitlab_fork_that_runs_in_its_parents_project(
    gitlab: Trust, ask: Ask, ci: CiIssuer
) -> None:
    gitlab(events=("merge_request_event",))
    merge = {"pipeline_source": "merge_request_event"}

    of_fork = ask(ci.gitlab_token(job_project_id="555", **merge))
    unsaid = ask(ci.gitlab_token(job_project_id=None, **merge))

    assert of_fork["code"] == "fork-not-allowed"
    assert (of_fork["project_id"], of_fork["job_project_id"]) == ("4242", "555")
    assert (unsaid["code"], unsaid["claim"]) == ("claim-missing", "job_project_id")
    assert ask(ci.gitlab_token(**merge))["success"] is True


def test_refuses_a_gitlab_fork_that_pushes(gitlab: Trust, ask: Ask, ci: CiIssuer) -> None:
    gitlab()
    fork = {"project_id": "555", "job_project_id": "555", "namespace_id": "666"}

    refused = ask(ci.gitlab_token(**in_gitlab(ci, "mallory/widget"), **fork))
    parent_claimed = ask(ci.gitlab_token(project_id="555"))

    assert refused["code"] == "no-matching-publisher"
    assert parent_claimed["code"] == "fork-not-allowed"
    assert ask(ci.gitlab_token())["success"] is True


def test_refuses_a_gitlab_pipeline_that_is_read_from_elsewhere(
    gitlab: Trust, ask: Ask, ci: CiIssuer
) -> None:
    gitlab()
    host = ci.url.partition("://")[2]

    for place in (
        f"{host}/mallory/ci//.gitlab-ci.yml@refs/heads/main",
        f"{host}/acme/tools/widget//../ci//.gitlab-ci.yml@refs/heads/main",
        f"evil.example/{host}/acme/tools/widget//.gitlab-ci.yml@refs/heads/main",
        "https://evil.example/ci.yml",
    ):
        refused = ask(ci.gitlab_token(ci_config_ref_uri=place))
        assert (refused["code"], refused["claim"]) == ("claim-invalid", "ci_config_ref_uri")
    other = f"{host}/acme/tools/widget//other.yml@refs/heads/main"
    assert ask(ci.gitlab_token(ci_config_ref_uri=other))["claim"] == "workflow_path"
    assert ask(ci.gitlab_token())["success"] is True


def test_refuses_a_gitlab_tag_with_the_name_of_the_trusted_branch(
    gitlab: Trust, ask: Ask, ci: CiIssuer
) -> None:
    gitlab(ref="refs/heads/main")

    tag = ask(ci.gitlab_token(**in_gitlab(ci, "acme/tools/widget", "refs/tags/main")))
    half = ask(ci.gitlab_token(ref_type="tag"))

    assert (tag["code"], tag["claim"]) == ("publisher-mismatch", "ref")
    assert (half["code"], half["claim"]) == ("claim-invalid", "ref_path")
    assert ask(ci.gitlab_token())["success"] is True


def test_refuses_who_takes_the_name_of_a_renamed_gitlab_project(
    gitlab: Trust, ask: Ask, ci: CiIssuer
) -> None:
    gitlab()
    taken_over = {"project_id": "555", "job_project_id": "555"}

    assert ask(ci.gitlab_token(**in_gitlab(ci, "acme/tools/gadget")))["success"] is True
    assert ask(ci.gitlab_token(**taken_over))["code"] == "no-matching-publisher"
    assert ask(ci.gitlab_token(namespace_id="666"))["claim"] == "owner_id"


@pytest.mark.parametrize("said", ["self-hosted", "", "GitHub-hosted", ["github-hosted"], None])
def test_gives_a_self_hosted_job_no_hosted_ones_builder(
    trust: Trust, ask: Ask, ci: CiIssuer, said: Any
) -> None:
    trust()
    ask(ci.token(runner_environment="github-hosted"))
    ask(ci.token(runner_environment=said))

    first, second = (
        builder_id(facts.issuer_name, mode_of(facts), base_url=AUDIENCE)
        for facts in (
            Witnessed.from_json(token.facts or {}) for token in Token.objects.order_by("created_at")
        )
    )

    assert "/hosted-" in first
    assert "/self-hosted" in second
