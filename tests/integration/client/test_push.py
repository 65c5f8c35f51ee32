"""`strongroom push` from CI jobs, as its users run it, against the running store."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from django.utils import timezone

from access.models import Token, UsedTokenId
from artifacts.models import Artifact, Build
from provenance.domain.build_facts import Platform
from tests.factories.command import SECONDS, Ran
from tests.factories.cut_wire import Wire, running_wire
from tests.integration.client.jobs import Jobs, make_jobs
from tests.journeys.conftest import Shop, shop, web

__all__ = ["shop", "web"]


@pytest.fixture
def jobs(shop: Shop, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Jobs]:
    platform = getattr(request, "param", Platform.GITHUB)
    with make_jobs(shop, tmp_path / "checkout", platform) as made:
        yield made


# For the whole acceptance: TEST_CUT_SECONDS=20.
CUT_SECONDS = float(os.environ.get("TEST_CUT_SECONDS", "3"))
MEGABYTE = 1024 * 1024


@pytest.fixture
def wire(shop: Shop) -> Iterator[Wire]:
    host, port = shop.web.url.removeprefix("http://").split(":")
    with running_wire(host, int(port)) as running:
        yield running


def finish(started: "subprocess.Popen[str]") -> Ran:
    out, err = started.communicate(timeout=SECONDS)
    return Ran(started.returncode, out, err)


def until_it_ends(started: "subprocess.Popen[str]", work: Callable[[], None]) -> Ran:
    """Do the worker's work as long as the command runs."""
    while started.poll() is None:
        work()
        with suppress(subprocess.TimeoutExpired):
            started.wait(timeout=0.1)
    return finish(started)


def write_files(folder: Path, count: int, *, size_bytes: int = 2000) -> dict[str, str]:
    """So many files below dist/, with their digests by path."""
    digests = {}
    (folder / "dist").mkdir(exist_ok=True)
    for number in range(count):
        data = f"file {number}\n".encode() * (size_bytes // 8)
        path = f"dist/part {number:03}.bin"
        (folder / path).write_bytes(data)
        digests[path] = sha256(data).hexdigest()
    return digests


def stored() -> dict[str, str]:
    return dict(Artifact.objects.values_list("path", "blob__sha256"))


on_both = pytest.mark.parametrize("jobs", [Platform.GITHUB, Platform.GITLAB], indirect=True)


@on_both
def test_pushes_a_hundred_files_of_a_job(jobs: Jobs) -> None:
    digests = write_files(jobs.checkout, 100)

    ran = jobs.job()("push", "dist", "--json")

    assert ran.code == 0, ran.err
    assert stored() == digests
    build = Build.objects.get()
    assert (ran.json["build"], ran.json["state"], build.state) == (
        str(build.pk),
        "sealed",
        "sealed",
    )
    assert {one["path"]: one["sha256"] for one in ran.json["files"]} == digests


@on_both
def test_goes_on_where_a_killed_push_ended(jobs: Jobs, wire: Wire) -> None:
    digests = write_files(jobs.checkout, 100, size_bytes=20_000)
    job = jobs.job()
    wire.cut_after_bytes = MEGABYTE
    first = job.start("push", "dist", STRONGROOM_URL=wire.url)
    assert wire.has_been_cut.wait(SECONDS)
    first.kill()
    first.communicate(timeout=SECONDS)
    wire.connect()
    arrived = len(stored())

    second = job("push", "dist")

    assert 10 < arrived < 100
    assert second.code == 0, second.err
    assert "of 100 files are there already" in second.err
    assert stored() == digests
    assert Build.objects.get().state == "sealed"


@on_both
def test_survives_a_network_that_is_cut(jobs: Jobs, wire: Wire) -> None:
    digests = write_files(jobs.checkout, 100, size_bytes=20_000)
    wire.cut_after_bytes = MEGABYTE
    started = jobs.job().start("push", "dist", STRONGROOM_URL=wire.url)
    assert wire.has_been_cut.wait(SECONDS)
    repaired = threading.Timer(CUT_SECONDS, wire.connect)
    repaired.start()

    ran = finish(started)

    repaired.join()
    assert ran.code == 0, ran.err
    assert stored() == digests
    assert Build.objects.get().state == "sealed"


@on_both
def test_renews_a_token_that_ends_in_the_middle(jobs: Jobs, wire: Wire) -> None:
    digests = write_files(jobs.checkout, 100, size_bytes=20_000)
    wire.cut_after_bytes = MEGABYTE
    started = jobs.job().start("push", "dist", STRONGROOM_URL=wire.url)
    assert wire.has_been_cut.wait(SECONDS)
    assert Token.objects.filter(kind="upload").update(expires_at=timezone.now()) == 1
    wire.connect()

    ran = finish(started)

    assert ran.code == 0, ran.err
    assert stored() == digests
    assert Token.objects.filter(kind="upload").count() == 2
    assert UsedTokenId.objects.count() == 1


def test_asks_github_for_another_identity_when_the_first_has_ended(jobs: Jobs, wire: Wire) -> None:
    digests = write_files(jobs.checkout, 100, size_bytes=20_000)
    ends = timezone.now() + timedelta(seconds=40)
    jobs.github.claims["exp"] = int(ends.timestamp())
    wire.cut_after_bytes = MEGABYTE
    started = jobs.job().start("push", "dist", STRONGROOM_URL=wire.url)
    assert wire.has_been_cut.wait(SECONDS)
    assert Token.objects.filter(kind="upload").update(expires_at=timezone.now()) == 1
    wire.connect()

    ran = finish(started)

    assert ran.code == 0, ran.err
    assert stored() == digests
    assert len(jobs.github.audiences) == UsedTokenId.objects.count() == 2
    assert Build.objects.get().state == "sealed"


def test_waits_until_it_is_published_and_says_who_built_it(jobs: Jobs) -> None:
    write_files(jobs.checkout, 3)
    started = jobs.job().start("push", "dist", "--wait=60", "--json")

    ran = until_it_ends(started, jobs.shop.attest)

    assert ran.code == 0, ran.err
    (provenance,) = ran.json["provenance"]
    assert ran.json["state"] == "published"
    assert provenance["verdict"] == "passed", provenance
    assert provenance["builder"].startswith("http://store.test/builders/")
    assert provenance["commit"] == "1f" * 20
    assert provenance["bundle"].startswith(jobs.shop.web.url)
    assert "commit" in ran.err


def test_seals_what_the_jobs_of_a_run_pushed(jobs: Jobs) -> None:
    digests = write_files(jobs.checkout, 4)
    for shard in ("1", "2"):
        jobs.github.claims["check_run_id"] = shard
        half = [f"dist/part 00{number}.bin" for number in range(int(shard) - 1, 4, 2)]
        pushed = jobs.job()(
            "push", *half, "--build", "all", "--no-seal", "--manifest", f"m{shard}.json"
        )
        assert pushed.code == 0, pushed.err
    jobs.github.claims["check_run_id"] = "7"

    less = jobs.job()("seal", "--build", "all", "m1.json")
    counted = jobs.job()("seal", "--build", "all", "--all", "--count", "5")
    sealed = jobs.job()("seal", "--build", "all", "m1.json", "m2.json", "--json")
    again = jobs.job()("seal", "--build", "all", "--all", "--count", "4")

    assert (less.code, "code: build-differs" in less.err) == (1, True)
    assert "dist/part 001.bin" in less.err
    assert (counted.code, "code: wrong-count" in counted.err) == (1, True)
    assert sealed.code == 0, sealed.err
    assert {one["path"]: one["sha256"] for one in sealed.json["files"]} == digests
    assert again.code == 0, again.err
    assert all(path in again.out for path in digests)


def test_says_that_there_is_no_build_to_seal(jobs: Jobs) -> None:
    ran = jobs.job()("seal", "--build", "all", "--all")

    assert (ran.code, "code: build-absent" in ran.err) == (3, True)


def test_ends_at_once_when_it_is_interrupted(jobs: Jobs, wire: Wire) -> None:
    write_files(jobs.checkout, 100, size_bytes=20_000)
    wire.cut_after_bytes = MEGABYTE
    started = jobs.job().start("push", "dist", STRONGROOM_URL=wire.url)
    assert wire.has_been_cut.wait(SECONDS)

    started.send_signal(2)
    _, err = started.communicate(timeout=60)

    assert started.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
