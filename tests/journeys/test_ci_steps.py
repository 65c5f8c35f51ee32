"""deploy/ci … as the runners of both platforms run its steps."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from artifacts.models import Artifact, Build
from provenance.domain.build_facts import Platform
from tests.factories.ci_jobs import gitlab_environ
from tests.factories.ci_runners import Finished, gitlab_job, run_action, runner_environ
from tests.factories.command import ROOT
from tests.integration.client.jobs import Jobs, make_jobs
from tests.journeys.conftest import Shop

PUSH = ROOT / "deploy" / "ci" / "github" / "push"
SEAL = ROOT / "deploy" / "ci" / "github" / "seal"
COMPONENT = ROOT / "deploy" / "ci" / "gitlab" / "push.yml"


@pytest.fixture
def on_github(shop: Shop, tmp_path: Path) -> Iterator[Jobs]:
    with make_jobs(shop, tmp_path / "checkout", Platform.GITHUB) as jobs:
        yield jobs


@pytest.fixture
def on_gitlab(shop: Shop, tmp_path: Path) -> Iterator[Jobs]:
    with make_jobs(shop, tmp_path / "checkout", Platform.GITLAB) as jobs:
        yield jobs


def write(jobs: Jobs, *names: str) -> None:
    for name in names:
        file = jobs.checkout / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"content of {name}\n")


@contextmanager
def working(jobs: Jobs) -> Iterator[None]:
    """The worker's work goes on beside the job."""
    is_over = threading.Event()

    def work() -> None:
        try:
            while not is_over.wait(0.1):
                jobs.shop.attest()
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        is_over.set()
        worker.join()


def act(jobs: Jobs, action: Path, **inputs: str) -> Finished:
    return run_action(
        action,
        inputs={"store": jobs.shop.web.url, "project": str(jobs.shop.project), **inputs},
        workspace=jobs.checkout,
        environ=runner_environ(jobs.checkout.parent, jobs.github.environ),
    )


def test_pushes_from_an_action_and_tells_what_was_signed(on_github: Jobs) -> None:
    write(on_github, "dist/a b.whl", "dist/deep/c.whl", "dist/notes.txt")

    with working(on_github):
        finished = act(on_github, PUSH, files="dist/**/*.whl\n\ndist/notes.txt\n", wait="60")

    assert finished.code == 0, finished.log
    paths = set(Artifact.objects.values_list("path", flat=True))
    assert paths == {"dist/a b.whl", "dist/deep/c.whl", "dist/notes.txt"}
    assert finished.outputs["build"] == str(Build.objects.get().pk)
    assert finished.outputs["state"] == "published"
    assert finished.outputs["files"] == "3"
    assert finished.outputs["builder"].startswith(f"{settings.PUBLIC_URL}/builders/")
    assert on_github.github.audiences == [settings.PUBLIC_URL]


def test_shares_a_build_between_actions_until_one_seals_it(on_github: Jobs) -> None:
    write(on_github, "out/linux", "out/mac")

    for shard in ("linux", "mac"):
        pushed = act(on_github, PUSH, files=f"out/{shard}", build="release", seal="false")
        assert (pushed.code, pushed.outputs["state"]) == (0, "open"), pushed.log
    too_few = act(on_github, SEAL, build="release", count="3", wait="")
    sealed = act(on_github, SEAL, build="release", count="2", wait="")

    assert too_few.code == 1, too_few.log
    assert (sealed.code, sealed.outputs["state"]) == (0, "sealed"), sealed.log
    assert sealed.outputs["files"] == "2"


def test_fails_the_job_when_nothing_fits(on_github: Jobs) -> None:
    finished = act(on_github, PUSH, files="dist/*.whl")

    assert finished.code != 0
    assert "dist/*.whl" in finished.log
    assert not Build.objects.exists()


@pytest.mark.parametrize("input_name", ["files", "build", "root", "wait"])
def test_takes_no_input_for_a_command(on_github: Jobs, tmp_path: Path, input_name: str) -> None:
    write(on_github, "dist/a")
    trace = tmp_path / "trace"
    hostile = f'$(touch {trace})`touch {trace}`"; touch {trace} #'

    act(on_github, PUSH, **{"files": "dist/a", input_name: hostile})

    assert not trace.exists()


def test_pushes_from_a_component(on_gitlab: Jobs) -> None:
    write(on_gitlab, "dist/a b.whl", "dist/notes.txt")
    job = gitlab_job(
        COMPONENT,
        {
            "store": on_gitlab.shop.web.url,
            "project": str(on_gitlab.shop.project),
            "files": "dist/*.whl\ndist/notes.txt",
            "wait": "60",
        },
    )
    # The audience is the store's public address; here the store is reached at another one.
    assert job.audience == on_gitlab.shop.web.url
    environ = gitlab_environ(on_gitlab.issuer, aud=settings.PUBLIC_URL)

    with working(on_gitlab):
        finished = job.run(
            workspace=on_gitlab.checkout,
            environ=runner_environ(on_gitlab.checkout.parent, environ),
        )

    assert finished.code == 0, finished.log
    paths = set(Artifact.objects.values_list("path", flat=True))
    assert paths == {"dist/a b.whl", "dist/notes.txt"}
    assert Build.objects.get().state == "published"
