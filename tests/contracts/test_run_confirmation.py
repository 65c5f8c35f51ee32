"""Asking platforms about jobs: every forgery beside an accepted twin, on doubles of both APIs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from provenance.domain.build_facts import Hosting, Witnessed
from provenance.domain.confirmation import IN_PROGRESS, LEEWAY
from provenance.errors import JobUnknown
from tests.factories.facts import witnessed, witnessed_by_subject, witnessed_on_gitlab
from tests.factories.platform_answers import ask, confirmed, contradicted, unavailable
from tests.factories.platform_doubles import (
    SEALED_AT,
    PlatformDouble,
    github_paths,
    gitlab_paths,
    just_before,
    knows,
)

FORMS: Final = Path(__file__).resolve().parent.parent / "assets" / "platform-api"
GITHUB: Final = witnessed()
GITLAB: Final = witnessed_on_gitlab()
BOTH: Final = pytest.mark.parametrize("facts", [GITHUB, GITLAB], ids=["github", "gitlab"])
REUSABLE: Final = replace(
    GITHUB,
    job_workflow_ref="acme/ci/.github/workflows/build.yml@refs/heads/main",
    job_workflow_commit="b" * 40,
)


@pytest.mark.parametrize(
    ("facts", "forms"),
    [
        (GITHUB, ["github-job", "github-workflow-run", "github-repository"]),
        (GITLAB, ["gitlab-job", "gitlab-project"]),
    ],
    ids=["github", "gitlab"],
)
def test_is_tried_with_answers_of_the_published_form(
    platform: PlatformDouble, facts: Witnessed, forms: list[str]
) -> None:
    knows(platform, facts)

    for form, document in zip(forms, platform.documents.values(), strict=True):
        schema = json.loads((FORMS / f"{form}.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
        checker.validate(document)
        assert not checker.is_valid({**document, "id": str(document["id"])})


@BOTH
def test_confirms_a_job_that_runs_as_its_token_says(
    platform: PlatformDouble, facts: Witnessed
) -> None:
    knows(platform, facts)

    found = confirmed(ask(platform.platforms(), facts))

    assert found.suffices(facts)
    assert found.api == platform.url
    assert {"job_id", "run_id", "repository_id", "commit", "hosting", IN_PROGRESS} <= set(
        found.compared
    )


def test_says_what_it_cannot_compare(platform: PlatformDouble) -> None:
    knows(platform, GITHUB)
    knows(platform, GITLAB)

    on_github, on_gitlab = (
        {one.field for one in confirmed(ask(platform.platforms(), facts)).not_compared}
        for facts in (GITHUB, GITLAB)
    )

    assert on_github == {"ref"}
    assert on_gitlab == {"workflow_path"}


DIFFERING: Final = [
    (GITHUB, "repository_id", {"run__repository__id": 4343}),
    (GITHUB, "run_id", {"run_id": 9000000002}),
    (GITHUB, "run_attempt", {"run_attempt": 2}),
    (GITHUB, "run_attempt", {"run__run_attempt": 2}),
    (GITHUB, "job_id", {"id": 31338}),
    (GITHUB, "commit", {"head_sha": "b" * 40}),
    (GITHUB, "workflow_path", {"run__path": ".github/workflows/other.yml"}),
    (GITHUB, "event", {"run__event": "schedule"}),
    (GITHUB, "hosting", {"labels": ["Self-Hosted", "linux"]}),
    (GITLAB, "repository_id", {"pipeline__project_id": 4343}),
    (GITLAB, "run_id", {"pipeline__id": 9000000002}),
    (GITLAB, "job_id", {"id": 31338}),
    (GITLAB, "commit", {"commit__id": "b" * 40}),
    (GITLAB, "event", {"pipeline__source": "web"}),
    (GITLAB, "ref", {"ref": "v6.6.6"}),
    (GITLAB, "ref", {"tag": False}),
    (GITLAB, "hosting", {"runner__runner_type": "project_type", "runner__is_shared": False}),
]


@pytest.mark.parametrize(("facts", "field", "changes"), DIFFERING)
def test_tells_the_field_in_which_token_and_platform_differ(
    platform: PlatformDouble, facts: Witnessed, field: str, changes: dict[str, Any]
) -> None:
    knows(platform, facts)
    platforms = platform.platforms()
    confirmed(ask(platforms, facts))

    knows(platform, facts, **changes)

    assert contradicted(ask(platforms, facts)) == field


def test_compares_the_reusable_workflow_that_the_token_names(platform: PlatformDouble) -> None:
    used = {"path": REUSABLE.job_workflow_ref, "sha": "b" * 40, "ref": "refs/heads/main"}
    knows(platform, REUSABLE, run__referenced_workflows=[used])
    platforms = platform.platforms()
    assert "job_workflow_commit" in confirmed(ask(platforms, REUSABLE)).compared

    knows(platform, REUSABLE, run__referenced_workflows=[{**used, "sha": "c" * 40}])
    assert contradicted(ask(platforms, REUSABLE)) == "job_workflow_commit"

    knows(platform, REUSABLE, run__referenced_workflows=None)
    missing = [one.field for one in confirmed(ask(platforms, REUSABLE)).not_compared]
    assert "job_workflow_commit" in missing


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/release.yml",
        ".github/workflows/release.yml@refs/tags/v1.4.0",
        "acme/widget/.github/workflows/release.yml@v1.4.0",
    ],
)
def test_knows_a_workflow_in_each_spelling_of_the_api(platform: PlatformDouble, path: str) -> None:
    knows(platform, GITHUB, run__path=path)

    assert "workflow_path" in confirmed(ask(platform.platforms(), GITHUB)).compared


def test_holds_no_trial_merge_against_the_head_of_a_pull_request(platform: PlatformDouble) -> None:
    pull_request = replace(GITHUB, event="pull_request", ref="refs/pull/7/merge")
    knows(platform, pull_request, head_sha="c" * 40, run__head_sha="c" * 40)

    found = confirmed(ask(platform.platforms(), pull_request))

    assert "commit" not in found.compared
    assert "trial merge" in next(o.why for o in found.not_compared if o.field == "commit")
    assert found.suffices(pull_request)


@pytest.mark.parametrize(
    ("facts", "finished"),
    [
        (GITHUB, {"status": "completed", "conclusion": "success"}),
        (GITLAB, {"status": "success"}),
        (GITLAB, {"status": "canceled"}),
    ],
)
def test_wants_the_job_in_progress_when_its_build_was_sealed(
    platform: PlatformDouble, facts: Witnessed, finished: dict[str, Any]
) -> None:
    platforms = platform.platforms()
    ended = "completed_at" if facts is GITHUB else "finished_at"
    leeway = int(LEEWAY.total_seconds())

    knows(platform, facts, **finished, **{ended: just_before(SEALED_AT, seconds=leeway)})
    assert confirmed(ask(platforms, facts)).suffices(facts)

    knows(platform, facts, **finished, **{ended: just_before(SEALED_AT, seconds=leeway + 1)})
    assert contradicted(ask(platforms, facts)) == IN_PROGRESS


@pytest.mark.parametrize(("facts", "status"), [(GITHUB, "queued"), (GITLAB, "pending")])
def test_waits_where_the_platform_does_not_show_the_job_as_started(
    platform: PlatformDouble, facts: Witnessed, status: str
) -> None:
    knows(platform, facts, status=status)
    assert "not show the job as started" in unavailable(ask(platform.platforms(), facts))

    knows(platform, facts)
    confirmed(ask(platform.platforms(), facts))


def test_confirms_no_hosted_job_whose_hosting_the_api_does_not_tell(
    platform: PlatformDouble,
) -> None:
    own_group: dict[str, Any] = {"runner_group_name": "Default", "runner_group_id": 1}
    knows(platform, GITHUB, **own_group)
    found = confirmed(ask(platform.platforms(), GITHUB))
    assert not found.suffices(GITHUB)

    self_hosted = replace(GITHUB, hosting=Hosting.SELF_HOSTED)
    assert confirmed(ask(platform.platforms(), self_hosted)).suffices(self_hosted)


def test_takes_no_other_instances_shared_runner_for_a_hosted_one(platform: PlatformDouble) -> None:
    own = replace(GITLAB, issuer="https://git.acme.test", issuer_name="acme")
    knows(platform, own)

    assert not confirmed(ask(platform.platforms("acme"), own)).suffices(own)
    assert confirmed(ask(platform.platforms("gitlab"), GITLAB)).suffices(GITLAB)


@BOTH
def test_raises_no_self_hosted_job_by_what_a_lying_platform_says(
    platform: PlatformDouble, facts: Witnessed
) -> None:
    knows(platform, facts)

    assert (
        contradicted(ask(platform.platforms(), replace(facts, hosting=Hosting.SELF_HOSTED)))
        == "hosting"
    )


def test_asks_about_no_job_that_the_token_does_not_name(platform: PlatformDouble) -> None:
    unnamed = replace(GITHUB, job_id="")

    assert not confirmed(ask(platform.platforms(), unnamed)).suffices(unnamed)
    assert platform.asked == []


@pytest.mark.parametrize(
    "changes",
    [
        {"repository": "../user"},
        {"repository": "acme/.."},
        {"repository": "acme/widget/actions"},
        {"repository": "acme/widget?x="},
        {"job_id": "1/logs"},
        {"run_id": "1?"},
        {"run_attempt": "../1"},
    ],
)
def test_asks_at_no_other_address_than_the_jobs(
    platform: PlatformDouble, changes: dict[str, str]
) -> None:
    strange = replace(GITHUB, **changes)  # type: ignore[arg-type] # texts

    assert not confirmed(ask(platform.platforms(), strange)).suffices(strange)
    assert platform.asked == []


@BOTH
def test_asks_nobody_about_an_issuer_that_was_not_configured(
    platform: PlatformDouble, facts: Witnessed
) -> None:
    knows(platform, facts)
    platforms = platform.platforms("other")

    assert platforms.issuers == {"other"}
    assert "nobody said" in unavailable(ask(platforms, facts))
    assert "nobody said" in unavailable(ask(platforms, witnessed_by_subject(issuer_name="other")))
    assert platform.asked == []


@BOTH
def test_believes_an_absence_only_where_the_repository_is_shown(
    platform: PlatformDouble, facts: Witnessed
) -> None:
    knows(platform, facts)
    platforms = platform.platforms()
    job = (github_paths if facts is GITHUB else gitlab_paths)(facts)[0]
    repository = (github_paths if facts is GITHUB else gitlab_paths)(facts)[-1]

    known = platform.documents.pop(job)
    assert isinstance(ask(platforms, facts), JobUnknown)
    shown = platform.documents.pop(repository)
    assert "does not show the repository" in unavailable(ask(platforms, facts))
    platform.documents.update({job: known, repository: shown})
    confirmed(ask(platforms, facts))


def test_tells_a_repository_that_was_made_anew_under_the_same_name(
    platform: PlatformDouble,
) -> None:
    knows(platform, GITHUB, repository__id=4343)
    platform.documents.pop(github_paths(GITHUB)[0])

    assert contradicted(ask(platform.platforms(), GITHUB)) == "repository_id"
