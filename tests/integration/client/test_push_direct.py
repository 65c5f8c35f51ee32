"""`strongroom push` of large files, past the store to a real bucket …"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Timer

import pytest
from django.utils import timezone

from artifacts.adapters.s3.connection import Bucket, S3Settings, checksum
from artifacts.adapters.s3.probe import S3Probe
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from artifacts.models import Build, Upload
from artifacts.usecases.measure_uploads import Bytes, measure_upload
from artifacts.usecases.probe_store import probe_store
from tests.factories.bucket_gate import Gate, running_gate
from tests.factories.command import SECONDS, Ran
from tests.factories.cut_wire import Wire, running_wire
from tests.factories.flying_part import flying_part
from tests.factories.s3_server import ACCESS_KEY, SECRET_KEY, S3Server
from tests.integration.client.jobs import Jobs, make_jobs
from tests.integration.client.test_push import stored, until_it_ends, write_files
from tests.journeys.conftest import Shop, digest_of, running_web, shop, web

__all__ = ["shop", "web"]

BUCKET = "pushed-directly"
LARGE_BYTES = 2 * SMALLEST_PART + 1000
LIMIT_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Site:
    """A store over a bucket, and a CI job that pushes to it."""

    jobs: Jobs
    bucket: Bucket

    def measure(self) -> None:
        """The worker's work."""
        place = S3BlobStore(self.bucket, part_bytes=SMALLEST_PART)
        while measure_upload(place=Bytes(place, place), clock=timezone.now):
            pass

    def push(self, *arguments: str) -> Ran:
        started = self.jobs.job().start("push", "dist", *arguments)
        return until_it_ends(started, self.measure)

    def write_large(self, name: str = "large", *, size_bytes: int = LARGE_BYTES) -> dict[str, str]:
        """A file that is too large for the store itself, with its digest by path."""
        folder = self.jobs.checkout / "dist"
        folder.mkdir(exist_ok=True)
        data = (f"{name} ".encode() * (size_bytes // 4))[:size_bytes]
        (folder / name).write_bytes(data)
        return {f"dist/{name}": digest_of(data).hex}


@pytest.fixture
def endpoint(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    return s3_server


@pytest.fixture
def site_at(shop: Shop, endpoint: S3Server, tmp_path: Path) -> Iterator[Callable[[str], Site]]:
    """A site whose clients reach the bucket at this address."""
    with ExitStack() as stack:
        yield lambda public: stack.enter_context(running_site(shop, endpoint, tmp_path, public))


@contextmanager
def running_site(shop: Shop, server: S3Server, tmp_path: Path, public: str) -> Iterator[Site]:
    name = server.new_bucket(f"{BUCKET}-{tmp_path.name.replace('_', '-')}"[:63].strip("-"))
    bucket = Bucket(S3Settings(name, server.endpoint, uses_path_style=True))
    probe_store(place=f"{server.endpoint}/{name}", probe=S3Probe(bucket), now=timezone.now())
    settings = server.settings(
        name,
        STRONGROOM_S3_PUBLIC_ENDPOINT=public,
        STRONGROOM_S3_PART_BYTES=str(SMALLEST_PART),
        STRONGROOM_MAX_UPLOAD_BYTES=str(LIMIT_BYTES),
    )
    with (
        running_web(port=0, **settings) as own,
        make_jobs(replace(shop, web=own), tmp_path / "checkout") as jobs,
    ):
        yield Site(jobs, bucket)


@pytest.fixture
def wire(endpoint: S3Server) -> Iterator[Wire]:
    host, port = endpoint.endpoint.removeprefix("http://").split(":")
    with running_wire(host, int(port)) as running:
        yield running


@pytest.fixture
def gate(endpoint: S3Server) -> Iterator[Gate]:
    with running_gate(endpoint.endpoint) as running:
        yield running


def test_chooses_the_way_of_each_file_by_its_size(
    site_at: Callable[[str], Site], endpoint: S3Server
) -> None:
    site = site_at(endpoint.endpoint)
    digests = write_files(site.jobs.checkout, 97)
    for number in range(3):
        digests |= site.write_large(f"large {number}", size_bytes=LARGE_BYTES + number)

    ran = site.push("--json")

    assert ran.code == 0, ran.err
    assert stored() == digests
    assert {one.path for one in Upload.objects.all()} == {f"dist/large {n}" for n in range(3)}
    assert ran.json["state"] == Build.objects.get().state == "sealed"


def test_goes_on_with_the_parts_that_a_killed_push_had_sent(
    site_at: Callable[[str], Site], wire: Wire
) -> None:
    site = site_at(wire.url)
    digests = site.write_large(size_bytes=6 * SMALLEST_PART)
    wire.cut_after_bytes = 4 * SMALLEST_PART
    first = site.jobs.job().start("push", "dist", "--jobs", "1")
    assert wire.has_been_cut.wait(SECONDS)
    first.kill()
    first.communicate(timeout=SECONDS)
    before = wire.carried_bytes
    wire.connect()

    second = site.push()

    assert second.code == 0, second.err
    assert stored() == digests
    assert Upload.objects.count() == 1
    assert wire.carried_bytes - before < 4 * SMALLEST_PART


def test_survives_a_wire_to_the_bucket_that_is_cut(
    site_at: Callable[[str], Site], wire: Wire
) -> None:
    site = site_at(wire.url)
    digests = site.write_large(size_bytes=6 * SMALLEST_PART)
    wire.cut_after_bytes = SMALLEST_PART
    started = site.jobs.job().start("push", "dist")
    assert wire.has_been_cut.wait(SECONDS)
    repaired = Timer(3, wire.connect)
    repaired.start()

    ran = until_it_ends(started, site.measure)

    repaired.join()
    assert ran.code == 0, ran.err
    assert stored() == digests


def test_asks_for_another_address_when_one_has_expired(
    site_at: Callable[[str], Site], gate: Gate
) -> None:
    site = site_at(gate.url)
    digests = site.write_large()
    expired = iter([True, False, True])
    gate.readdressed = lambda path: of_last_year(path) if next(expired, False) else path

    ran = site.push("--jobs", "1")

    assert ran.code == 0, ran.err
    assert stored() == digests
    assert gate.statuses == [403, 200, 403, 200, 200]


def of_last_year(path: str) -> str:
    """The address as it would be if it had been signed then: whole, and expired."""
    return re.sub(r"(X-Amz-Date=|%2F)\d{4}(?=\d{4})", r"\g<1>2020", path)


def test_says_what_a_bucket_answers_that_takes_nothing(
    site_at: Callable[[str], Site], gate: Gate
) -> None:
    site = site_at(gate.url)
    site.write_large()
    gate.readdressed = lambda path: path.replace("X-Amz-Signature=", "X-Amz-Signature=0")

    ran = site.push()

    assert ran.code == 1
    assert "code: bucket-refused" in ran.err
    assert "answer: 403" in ran.err
    assert "reason: SignatureDoesNotMatch" in ran.err
    assert Build.objects.get().state == "open"


def test_is_not_deceived_by_a_bucket_that_drops_what_it_confirms(
    site_at: Callable[[str], Site], gate: Gate
) -> None:
    site = site_at(gate.url)
    site.write_large()
    gate.readdressed = lambda _path: None

    ran = site.push()

    assert ran.code == 1
    assert "code: upload-incomplete" in ran.err
    assert len(gate.statuses) == 3 * 3
    assert stored() == {}


def test_sends_again_what_a_bucket_had_dropped(site_at: Callable[[str], Site], gate: Gate) -> None:
    site = site_at(gate.url)
    digests = site.write_large()
    dropped = iter([True])
    gate.readdressed = lambda path: None if next(dropped, False) else path

    ran = site.push()

    assert ran.code == 0, ran.err
    assert stored() == digests
    assert len(gate.statuses) == 4


def test_finds_the_file_that_changed_between_two_parts(
    site_at: Callable[[str], Site], gate: Gate
) -> None:
    site = site_at(gate.url)
    site.write_large()
    file = site.jobs.checkout / "dist" / "large"

    def changing(path: str) -> str:
        with file.open("r+b") as opened:
            opened.seek(LARGE_BYTES - 10)
            opened.write(b"other")
        return path

    gate.readdressed = changing

    ran = site.push("--jobs", "1")

    assert ran.code == 1
    assert "code: file-changed" in ran.err
    assert stored() == {}
    assert Upload.objects.get().state == "refused"


@pytest.mark.parametrize("is_flying", [False, True], ids=["at rest", "a part on its way"])
def test_starts_anew_when_the_bucket_has_forgotten_an_upload(
    site_at: Callable[[str], Site], wire: Wire, *, is_flying: bool
) -> None:
    site = site_at(wire.url)
    digests = site.write_large(size_bytes=4 * SMALLEST_PART)
    wire.cut_after_bytes = 2 * SMALLEST_PART
    first = site.jobs.job().start("push", "dist", "--jobs", "1")
    assert wire.has_been_cut.wait(SECONDS)
    first.kill()
    first.communicate(timeout=SECONDS)
    wire.replace()
    [(upload, _begun_at)] = site.bucket.uploads()
    body = (site.jobs.checkout / "dist" / "large").read_bytes()[-SMALLEST_PART:]
    digest = digest_of(body)
    url = site.bucket.part_url(upload, 4, digest, seconds=60)
    headers = {"x-amz-checksum-sha256": checksum(digest)}
    # (versitygw revives an upload to which a part arrives while it is being forgotten)
    with flying_part(url, headers, body) if is_flying else nullcontext():
        site.bucket.abort(upload)  # as a bucket's lifecycle rule does

    ran = site.push()

    assert ran.code == 0, ran.err
    assert stored() == digests
    assert sorted(Upload.objects.values_list("state", flat=True)) == ["aborted", "stored"]


def test_says_that_the_bucket_cannot_be_reached_and_what_else_is_open(
    site_at: Callable[[str], Site],
) -> None:
    site = site_at("http://127.0.0.1:9")
    site.write_large()

    ran = site.push("--retry-for", "1")

    assert ran.code == 4
    assert "code: bucket-unreachable" in ran.err
    assert "--no-direct" in ran.err


def test_goes_through_the_store_where_it_is_told_to(
    site_at: Callable[[str], Site],
) -> None:
    site = site_at("http://127.0.0.1:9")
    digests = site.write_large(size_bytes=LIMIT_BYTES)

    ran = site.push("--no-direct")

    assert ran.code == 0, ran.err
    assert stored() == digests
    assert not Upload.objects.exists()


def test_sends_small_files_direct_where_it_is_told_to(
    site_at: Callable[[str], Site], endpoint: S3Server
) -> None:
    site = site_at(endpoint.endpoint)
    digests = site.write_large(size_bytes=8) | site.write_large("empty", size_bytes=0)

    ran = site.push("--direct")

    assert ran.code == 0, ran.err
    assert stored() == digests
    assert [one.path for one in Upload.objects.all()] == ["dist/large"]


def test_refuses_what_no_way_takes_before_anything_is_sent(
    site_at: Callable[[str], Site], endpoint: S3Server
) -> None:
    site = site_at(endpoint.endpoint)
    site.write_large(size_bytes=LIMIT_BYTES + 1)

    ran = site.push("--no-direct")

    assert ran.code == 1
    assert "code: file-too-large" in ran.err
    assert f"limit_bytes: {LIMIT_BYTES}" in ran.err
    assert f"observed_bytes: {LIMIT_BYTES + 1}" in ran.err
    assert "setting: STRONGROOM_MAX_UPLOAD_BYTES" in ran.err
    assert "reason: --no-direct" in ran.err
    assert not Build.objects.exists()


def test_says_that_a_directory_takes_nothing_directly(shop: Shop, tmp_path: Path) -> None:
    with make_jobs(shop, tmp_path / "checkout") as jobs:
        write_files(jobs.checkout, 1)

        ran = jobs.job()("push", "dist", "--direct")

    assert ran.code == 1
    assert "code: direct-uploads-unavailable" in ran.err
    assert "this store keeps its bytes in a directory" in ran.err
    assert not Build.objects.exists()
