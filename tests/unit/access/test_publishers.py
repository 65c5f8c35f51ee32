"""A trusted publisher is four claims that all agree; an empty one agrees with nothing."""

from dataclasses import replace
from typing import Any

import pytest

from access.domain.publishers import (
    Difference,
    PublisherIdentity,
    check_publisher,
    first_difference,
    may_be_disclosed,
)
from access.errors import PublisherNotAllowed
from provenance.domain.build_facts import Platform, Witnessed
from tests.factories.facts import (
    GITLAB,
    ISSUER,
    witnessed,
    witnessed_by_subject,
    witnessed_on_gitlab,
)

PUBLISHER = PublisherIdentity(ISSUER, "4242", "77", ".github/workflows/release.yml")
NAMES = ["issuer", "repository_id", "owner_id", "workflow_path"]


def test_matches_the_identity_that_it_names() -> None:
    assert first_difference(PUBLISHER, witnessed()) is None


@pytest.mark.parametrize("name", NAMES)
def test_names_the_first_claim_that_differs(name: str) -> None:
    change: dict[str, Any] = {name: "1"}
    other = replace(PUBLISHER, **change)

    assert first_difference(other, witnessed()) == Difference(name, "1", getattr(PUBLISHER, name))


@pytest.mark.parametrize("name", NAMES)
def test_matches_nothing_with_an_empty_claim(name: str) -> None:
    change: dict[str, Any] = {name: ""}
    empty = replace(PUBLISHER, **change)

    assert first_difference(empty, witnessed(**{name: ""})) is not None


def test_refuses_a_re_created_owner() -> None:
    difference = first_difference(PUBLISHER, witnessed(owner_id="78"))

    assert difference == Difference("owner_id", "77", "78")
    assert may_be_disclosed(difference)


@pytest.mark.parametrize(
    ("name", "is_told"), [*zip(NAMES, [False, False, True, True], strict=True)]
)
def test_discloses_a_difference_only_within_the_repository(name: str, is_told: bool) -> None:  # noqa: FBT001 - a table's column
    change: dict[str, Any] = {name: "1"}

    difference = first_difference(replace(PUBLISHER, **change), witnessed())

    assert difference is not None
    assert may_be_disclosed(difference) is is_told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("repository_id", ""),
        ("repository_id", "acme/widget"),
        ("owner_id", ""),
        ("owner_id", "acme"),
        ("workflow_path", ""),
        ("workflow_path", "release.yml"),
        ("workflow_path", ".github/workflows/*.yml/x"),
        ("workflow_path", "/.github/workflows/release.yml"),
        ("workflow_path", ".github/workflows/release.yml\n"),
        ("subject", "repo:acme/widget"),
        ("reusable_workflow", "acme/ci"),
        ("reusable_workflow", "acme/ci/.github/workflows/build.yml@refs/heads/main"),
        ("ref", "main"),
        ("ref", "*"),
        ("ref", "refs/*/v1"),
        ("ref", "refs/tags/**"),
        ("environment", "a\nb"),
        ("events", ("pull_request_target",)),
        ("events", ("workflow_run",)),
        ("events", ("merge_request_event",)),
        ("events", ("",)),
    ],
)
def test_refuses_a_publisher_that_no_token_can_match(name: str, value: Any) -> None:
    change: dict[str, Any] = {name: value}
    check_publisher(PUBLISHER, Platform.GITHUB)

    with pytest.raises(PublisherNotAllowed) as refused:
        check_publisher(replace(PUBLISHER, **change), Platform.GITHUB)

    assert refused.value.facts["field"] == name


TOOLS = "acme/ci/.github/workflows/build.yml"
REUSING = {"job_workflow_ref": f"{TOOLS}@refs/tags/v3", "job_workflow_commit": "b" * 40}
ON_GITLAB = PublisherIdentity(GITLAB, "4242", "77", ".gitlab-ci.yml")
PULL = {"event": "pull_request"}
MERGE = {"event": "merge_request_event"}


@pytest.mark.parametrize(
    ("terms", "agreeing", "differing", "claim"),
    [
        # The reusable workflow: a stranger's, another file, or another ref of the own one.
        ({}, {}, REUSING, "job_workflow_ref"),
        (
            {},
            {},
            {"job_workflow_ref": "acme/widget/.github/workflows/release.yml@refs/heads/x"},
            "job_workflow_ref",
        ),
        ({"reusable_workflow": TOOLS}, REUSING, {}, "job_workflow_ref"),
        (
            {"reusable_workflow": TOOLS},
            REUSING,
            {"job_workflow_ref": "evil/ci/.github/workflows/build.yml@refs/tags/v3"},
            "job_workflow_ref",
        ),
        (
            {"reusable_workflow": TOOLS},
            REUSING,
            {"job_workflow_ref": "acme/ci/.github/workflows/other.yml@refs/tags/v3"},
            "job_workflow_ref",
        ),
        ({"reusable_workflow": TOOLS}, REUSING, {**REUSING, "workflow_path": "x"}, "workflow_path"),
        ({}, {}, PULL, "event"),
        ({"events": ("pull_request",)}, PULL, {"event": "merge_group"}, "event"),
        ({"events": ("pull_request",)}, {}, {"event": "pull_request_target"}, "event"),
        ({"events": ("pull_request",)}, {}, {"event": "push, release"}, "event"),
        ({"ref": "refs/tags/v1.4.0"}, {}, {"ref": "refs/tags/v1.4.1"}, "ref"),
        ({"ref": "refs/tags/v*"}, {}, {"ref": "refs/heads/v1"}, "ref"),
        ({"ref": "refs/tags/v*"}, {}, {"ref": "refs/tags/v"}, "ref"),
        ({"ref": "refs/tags/v1.4.0"}, {}, {"ref": "refs/tags/v1.4.0/x"}, "ref"),
        ({"requires_protected_ref": True}, {}, {"ref_protected": "false"}, "ref_protected"),
        ({"requires_protected_ref": True}, {}, {"ref_protected": ""}, "ref_protected"),
        ({"environment": "release"}, {}, {"environment": "test"}, "environment"),
        ({"environment": "release"}, {}, {"environment": ""}, "environment"),
    ],
)
def test_holds_each_term_against_its_claim(
    terms: dict[str, Any], agreeing: dict[str, str], differing: dict[str, str], claim: str
) -> None:
    publisher = replace(PUBLISHER, **terms)
    check_publisher(publisher, Platform.GITHUB)

    difference = first_difference(publisher, witnessed(**differing))

    assert first_difference(publisher, witnessed(**agreeing)) is None
    assert difference is not None
    assert difference.claim == claim
    assert may_be_disclosed(difference)


@pytest.mark.parametrize(
    ("terms", "agreeing", "differing", "claim"),
    [
        ({}, {}, {"repository_id": "4243"}, "repository_id"),
        ({}, {}, {"owner_id": "78"}, "owner_id"),
        ({}, {}, {"workflow_path": "ci/other.yml"}, "workflow_path"),
        ({}, {"event": "api"}, MERGE, "event"),
        ({}, {"event": "web"}, {"event": "trigger"}, "event"),
        ({"events": ("merge_request_event",)}, MERGE, {"event": "pipeline"}, "event"),
        ({"ref": "refs/tags/*"}, {}, {"ref": "refs/heads/main"}, "ref"),
        ({"requires_protected_ref": True}, {}, {"ref_protected": "false"}, "ref_protected"),
        ({"environment": "release"}, {}, {"environment": "test"}, "environment"),
    ],
)
def test_holds_each_term_against_its_claim_on_gitlab(
    terms: dict[str, Any], agreeing: dict[str, str], differing: dict[str, str], claim: str
) -> None:
    publisher = replace(ON_GITLAB, **terms)
    check_publisher(publisher, Platform.GITLAB)

    difference = first_difference(publisher, witnessed_on_gitlab(**differing))

    assert first_difference(publisher, witnessed_on_gitlab(**agreeing)) is None
    assert difference is not None
    assert difference.claim == claim


def test_knows_a_generic_identity_by_its_subject_alone() -> None:
    publisher = PublisherIdentity("https://ci.acme.test", subject="job:release/widget")
    check_publisher(publisher, Platform.GENERIC)

    difference = first_difference(publisher, witnessed_by_subject(subject="job:release/other"))

    assert first_difference(publisher, witnessed_by_subject()) is None
    assert difference is not None
    assert not may_be_disclosed(difference)


@pytest.mark.parametrize(
    ("publisher", "platform", "facts"),
    [
        (PublisherIdentity(ISSUER), Platform.GITHUB, witnessed()),
        (PublisherIdentity(ISSUER), Platform.GITHUB, witnessed(repository_id="")),
        (PublisherIdentity(GITLAB), Platform.GITLAB, witnessed_on_gitlab(repository_id="")),
        (PublisherIdentity(""), Platform.GENERIC, witnessed_by_subject(issuer="", subject="")),
        (PublisherIdentity("https://ci.acme.test"), Platform.GENERIC, witnessed_by_subject()),
    ],
)
def test_lets_a_publisher_without_required_claims_match_nothing(
    publisher: PublisherIdentity, platform: Platform, facts: Witnessed
) -> None:
    assert first_difference(publisher, facts) is not None
    with pytest.raises(PublisherNotAllowed):
        check_publisher(publisher, platform)


@pytest.mark.parametrize(
    ("terms", "platform"),
    [
        ({"reusable_workflow": TOOLS}, Platform.GITLAB),
        ({"subject": "x"}, Platform.GITLAB),
        ({"workflow_path": "../x.yml"}, Platform.GITLAB),
        ({"workflow_path": "a//x.yml"}, Platform.GITLAB),
        ({"workflow_path": "https://evil.example/x.yml"}, Platform.GITLAB),
        ({"events": ("external_pull_request_event",)}, Platform.GITLAB),
        ({}, Platform.GENERIC),
    ],
)
def test_refuses_terms_that_the_platform_cannot_meet(
    terms: dict[str, Any], platform: Platform
) -> None:
    check_publisher(ON_GITLAB, Platform.GITLAB)

    with pytest.raises(PublisherNotAllowed):
        check_publisher(replace(ON_GITLAB, **terms), platform)
