"""`whoami`, `login`, `logout`, and what a job is told that cannot prove who it is."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from access.models import Token, UsedTokenId
from artifacts.models import Artifact, Build
from provenance.domain.build_facts import Platform
from tests.factories.cut_wire import running_wire
from tests.integration.client.jobs import Jobs, make_jobs
from tests.journeys.conftest import Shop, shop, web

__all__ = ["shop", "web"]

on_both = pytest.mark.parametrize("jobs", [Platform.GITHUB, Platform.GITLAB], indirect=True)


@pytest.fixture
def jobs(shop: Shop, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Jobs]:
    platform = getattr(request, "param", Platform.GITHUB)
    with make_jobs(shop, tmp_path / "checkout", platform) as made:
        (made.checkout / "file.txt").write_text("a file\n")
        yield made


@on_both
def test_tells_a_job_what_a_push_would_claim(jobs: Jobs) -> None:
    ran = jobs.job()("whoami")

    assert ran.code == 0, ran.err
    for said in ("acme/widget", "1f" * 20, "http://store.test/builders/", "SLSA_BUILD_LEVEL"):
        assert said in ran.out
    assert UsedTokenId.objects.count() == 0


@on_both
def test_lets_each_step_of_a_job_be_the_job(jobs: Jobs) -> None:
    job = jobs.job()

    first = job("push", "file.txt", "--no-seal")
    second = job("seal", "--all")
    third = job("whoami")

    assert [one.code for one in (first, second, third)] == [0, 0, 0], first.err + second.err
    assert Build.objects.get().state == "sealed"


@pytest.mark.parametrize("jobs", [Platform.GITLAB], indirect=True)
def test_refuses_another_job_that_saw_the_identity_token(jobs: Jobs) -> None:
    job = jobs.job()
    assert job("push", "file.txt").code == 0

    thief = job("push", "file.txt", CI_JOB_TOKEN="the thief's own")

    assert (thief.code, "code: token-id-reused" in thief.err) == (1, True)
    assert job("push", "file.txt").code == 0


def test_says_what_a_workflow_on_github_lacks(jobs: Jobs) -> None:
    ran = jobs.job(ACTIONS_ID_TOKEN_REQUEST_URL="")("push", "file.txt")

    assert (ran.code, "code: job-token-missing" in ran.err) == (2, True)
    assert "add: permissions: id-token: write" in ran.err
    assert jobs.job()("push", "file.txt").code == 0


def test_says_so_when_github_gives_no_identity(jobs: Jobs) -> None:
    jobs.github.refuses = True

    ran = jobs.job()("push", "file.txt")

    assert (ran.code, "code: job-token-missing" in ran.err) == (2, True)
    assert "the-runner's-own-token" not in ran.err + ran.out


@pytest.mark.parametrize("jobs", [Platform.GITLAB], indirect=True)
def test_says_what_a_pipeline_on_gitlab_lacks(jobs: Jobs) -> None:
    ran = jobs.job(STRONGROOM_ID_TOKEN="")("push", "file.txt")

    assert (ran.code, "code: job-token-missing" in ran.err) == (2, True)
    assert "id_tokens: STRONGROOM_ID_TOKEN: aud:" in ran.err


def test_never_takes_a_runners_login_for_its_job(jobs: Jobs) -> None:
    logged_in = jobs.a_person()(
        "login", jobs.shop.web.url, "--token-file", "-", stdin=jobs.shop.tokens.uploader
    )
    assert logged_in.code == 0, logged_in.err

    ran = jobs.job(ACTIONS_ID_TOKEN_REQUEST_URL="")("push", "file.txt")

    assert (ran.code, "code: job-token-missing" in ran.err) == (2, True)
    assert not Artifact.objects.exists()


def test_keeps_a_token_for_its_owner_alone(jobs: Jobs) -> None:
    secret = jobs.shop.tokens.uploader
    person = jobs.a_person(STRONGROOM_URL="")
    file = jobs.checkout / "token"
    file.write_text(f"{secret}\n")

    logged_in = person("login", jobs.shop.web.url, "--token-file", "token")
    me = person("whoami")
    pushed = person("push", "file.txt", "--project", "acme/widget")
    logged_out = person("logout")
    nobody = person("whoami", "--store", jobs.shop.web.url)

    assert [one.code for one in (logged_in, me, pushed, logged_out)] == [0, 0, 0, 0], pushed.err
    assert (nobody.code, "code: settings-missing" in nobody.err) == (2, True)
    kept = jobs.checkout.parent / "home" / ".config" / "strongroom"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    for one in (logged_in, me, pushed, logged_out, nobody):
        assert secret not in one.out + one.err
    assert Artifact.objects.get().build.origin == "release"


def test_keeps_nothing_of_a_token_that_is_refused(jobs: Jobs) -> None:
    person = jobs.a_person(STRONGROOM_URL="")

    ran = person("login", jobs.shop.web.url, "--token-file", "-", stdin="srt_nonsense")

    assert (ran.code, "code: token-malformed" in ran.err) == (1, True)
    assert not (jobs.checkout.parent / "home" / ".config").exists()


def test_goes_on_with_a_release_by_its_id(jobs: Jobs) -> None:
    person = jobs.a_person(
        STRONGROOM_TOKEN=jobs.shop.tokens.uploader, STRONGROOM_PROJECT="acme/widget"
    )
    first = person("push", "file.txt", "--no-seal", "--json")
    (jobs.checkout / "two.txt").write_text("another\n")

    second = person("push", "file.txt", "two.txt", "--build-id", first.json["build"])

    assert second.code == 0, second.err
    assert "1 of 2 files are there already" in second.err
    assert Build.objects.get().state == "sealed"


def test_gives_up_on_a_store_that_is_not_there(jobs: Jobs) -> None:
    with running_wire("127.0.0.1", 9) as nowhere:
        ran = jobs.job(STRONGROOM_URL=nowhere.url)("push", "file.txt", "--retry-for", "0.1")

    assert (ran.code, "code: store-unreachable" in ran.err) == (4, True)
    assert Token.objects.filter(kind="upload").count() == 0
