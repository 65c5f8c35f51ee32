"""Large files straight to a bucket: a job's steps over HTTP, and whoever tries to swap bytes."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import urllib3
from django.core.management import call_command
from django.utils import timezone

from artifacts.adapters.s3.connection import Bucket, S3Settings
from artifacts.adapters.s3.probe import S3Probe
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from artifacts.models import Blob, Upload
from artifacts.usecases.measure_uploads import Bytes, measure_upload
from artifacts.usecases.probe_store import probe_store
from provenance.models import Attestation
from tests.factories.flying_part import flying_part
from tests.factories.s3_server import ACCESS_KEY, SECRET_KEY, S3Server
from tests.journeys.conftest import Answer, Shop, digest_of, running_web

BUCKET = "direct-uploads"
FIRST, LAST = bytes(range(256)) * (SMALLEST_PART // 256), b"the rest"
WHOLE = FIRST + LAST
FORGED = bytes(len(FIRST))


@dataclass(frozen=True)
class Client:
    """A job's client: the store by curl, the bucket by the addresses that the store signs."""

    shop: Shop
    curl: Callable[..., Answer]
    bucket: Bucket

    def post(self, url: str, body: object) -> Answer:
        headers = ("-X", "POST", "-H", "Content-Type: application/json")
        token = self.shop.tokens.uploader
        return self.curl(*headers, "-d", json.dumps(body), self.at(url), token=token)

    def get(self, url: str) -> Answer:
        return self.curl(self.at(url), token=self.shop.tokens.uploader)

    def at(self, url: str) -> str:
        return url if url.startswith(self.shop.web.url) else self.shop.web.at(url)

    def open(self) -> dict[str, Any]:
        return self.post(f"{self.shop.url}/builds", {}).json

    def start(self, build: dict[str, Any], data: bytes = WHOLE) -> dict[str, Any]:
        announced = {
            "path": "dist/large",
            "sha256": digest_of(data).hex,
            "size_bytes": len(data),
        }
        answer = self.post(build["urls"]["uploads"], announced)
        assert answer.status == 201, answer
        return answer.json

    def sign(self, upload: dict[str, Any], number: int, body: bytes) -> dict[str, Any]:
        wanted = {"parts": [{"number": number, "sha256": digest_of(body).hex}]}
        [part] = self.post(upload["urls"]["parts"], wanted).json["parts"]
        signed: dict[str, Any] = part
        return signed

    def send(self, upload: dict[str, Any], *bodies: bytes) -> None:
        for number, body in enumerate(bodies, start=1):
            assert put(self.sign(upload, number, body), body) == 200

    def complete(self, upload: dict[str, Any]) -> Answer:
        return self.post(upload["urls"]["complete"], {})

    def measure(self) -> None:
        store = S3BlobStore(self.bucket, part_bytes=SMALLEST_PART)
        while measure_upload(place=Bytes(store, store), clock=timezone.now):
            pass

    def seal(self, build: dict[str, Any], data: bytes = WHOLE) -> Answer:
        files = {"files": [{"path": "dist/large", "sha256": digest_of(data).hex}]}
        return self.post(build["urls"]["seal"], files)


def put(part: dict[str, Any], body: bytes) -> int:
    answer = urllib3.request(
        part["method"], part["url"], body=body, headers=part["headers"], retries=False
    )
    return answer.status


@pytest.fixture(scope="module")
def named_bucket(s3_server: S3Server) -> S3Server:
    s3_server.new_bucket(BUCKET)
    return s3_server


@pytest.fixture
def client(
    shop: Shop,
    curl: Callable[..., Answer],
    named_bucket: S3Server,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Client]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    # Clients reach the server by another name than we do, and that name is signed.
    public = named_bucket.endpoint.replace("127.0.0.1", "localhost")
    bucket = Bucket(S3Settings(BUCKET, named_bucket.endpoint, uses_path_style=True))
    probe_store(
        place=f"{named_bucket.endpoint}/{BUCKET}", probe=S3Probe(bucket), now=timezone.now()
    )
    with running_web(
        port=0,
        **named_bucket.settings(
            BUCKET,
            STRONGROOM_S3_PUBLIC_ENDPOINT=public,
            STRONGROOM_S3_PART_BYTES=str(SMALLEST_PART),
            STRONGROOM_MAX_UPLOAD_BYTES="1000000",
        ),
    ) as web:
        yield Client(replace(shop, web=web), curl, bucket)


def test_brings_a_file_that_is_too_large_for_the_store_itself(
    client: Client, tmp_path: Path
) -> None:
    file = tmp_path / "large"
    file.write_bytes(WHOLE)
    build, token = client.open(), client.shop.tokens.uploader
    through = client.at(build["urls"]["upload"].replace("{path}", "dist/large"))
    refused = client.curl("-T", str(file), through, token=token)
    assert refused.is_problem("upload-too-large")
    assert "uploads" in refused.json["instead"]

    upload = client.start(build)
    client.send(upload, FIRST, LAST)
    arrived = client.get(upload["urls"]["self"]).json["arrived"]
    completed = client.complete(upload)
    early = client.seal(build)
    client.measure()
    stored = client.get(upload["urls"]["self"]).json
    sealed = client.seal(build)
    client.shop.attest()
    download = client.curl(
        client.at(f"{stored['urls']['artifact']}/download"), token=client.shop.tokens.reader
    )

    assert [(one["number"], one["size_bytes"]) for one in arrived] == [
        (1, len(FIRST)),
        (2, len(LAST)),
    ]
    assert "//localhost:" in client.sign(client.start(client.open()), 1, FIRST)["url"]
    assert (completed.status, completed.json["state"]) == (202, "measuring")
    assert early.is_problem("uploads-pending")
    assert (stored["state"], stored["measured_bytes"]) == ("stored", len(WHOLE))
    assert sealed.status == 200
    assert (download.status, digest_of(download.body)) == (200, digest_of(WHOLE))


def test_refuses_bytes_that_are_not_the_declared_ones(client: Client) -> None:
    build = client.open()
    upload = client.start(build, FORGED + LAST)
    client.send(upload, FIRST, LAST)
    client.complete(upload)

    client.measure()

    ended = client.get(upload["urls"]["self"]).json
    assert ended["state"] == "refused"
    assert ended["refused"]["declared"] == digest_of(FORGED + LAST).hex
    assert ended["refused"]["measured"] == digest_of(WHOLE).hex
    assert client.bucket.find(Upload.objects.get().key) is None
    assert client.seal(build).is_problem("build-differs")


# The swap attempts. Each has all that a client is ever given: addresses signed beforehand.


@dataclass(frozen=True)
class Thief:
    """Addresses that a client had kept back for other bytes than those that it completes."""

    client: Client
    upload: dict[str, Any]
    kept_back: dict[str, Any]

    def late_part(self) -> None:
        put(self.kept_back, FORGED)

    def same_part_again(self) -> None:
        put(self.kept_back, FIRST)

    def second_completion(self) -> None:
        """Over the API, and then with the store's own rights at the bucket."""
        self.client.complete(self.upload)
        row = Upload.objects.get(pk=self.upload["id"])
        for _ in range(2):
            with suppress(Exception):  # whatever the server says: what stands there counts
                parts = self.client.bucket.parts(row.begun)  # type: ignore[arg-type] # same shape
                self.client.bucket.complete(
                    row.begun,  # type: ignore[arg-type] # same shape
                    [part.named for part in parts],
                    size_bytes=len(WHOLE),
                )

    def late_part_and_second_completion(self) -> None:
        self.late_part()
        self.second_completion()


ATTEMPTS: dict[str, Callable[[Thief], None]] = {
    "a presigned address after completion": Thief.late_part,
    "the same part after completion": Thief.same_part_again,
    "a second completion": Thief.second_completion,
    "a late part and a second completion": Thief.late_part_and_second_completion,
    "nothing": lambda _thief: None,
}


@pytest.mark.parametrize("is_measured", [False, True], ids=["before", "after-the-measure"])
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_keeps_object_and_statement_whatever_comes_late(
    client: Client, attempt: str, *, is_measured: bool
) -> None:
    build = client.open()
    upload = client.start(build)
    thief = Thief(client, upload, client.sign(upload, 1, FORGED))
    client.send(upload, FIRST, LAST)
    client.complete(upload)
    frozen = client.bucket.find(Upload.objects.get().key)
    if is_measured:
        client.measure()

    ATTEMPTS[attempt](thief)

    client.measure()
    assert client.bucket.find(Upload.objects.get().key) == frozen
    assert_untouched(client, build, upload)


def test_keeps_object_and_statement_with_a_part_in_flight_across_the_completion(
    client: Client,
) -> None:
    build = client.open()
    upload = client.start(build)
    thief = Thief(client, upload, client.sign(upload, 1, FORGED))
    client.send(upload, FIRST, LAST)
    with flying_part(thief.kept_back["url"], thief.kept_back["headers"], FORGED):
        client.complete(upload)

    thief.second_completion()

    client.measure()
    assert_untouched(client, build, upload)


def test_refuses_what_was_made_of_a_part_that_was_overwritten_before_completion(
    client: Client,
) -> None:
    build = client.open()
    upload = client.start(build)
    client.send(upload, FIRST, LAST)
    client.send(upload, FORGED)

    client.complete(upload)
    client.measure()

    ended = client.get(upload["urls"]["self"]).json
    assert ended["refused"]["measured"] == digest_of(FORGED + LAST).hex
    assert not Blob.objects.exists()
    again = client.start(build)
    client.send(again, FIRST, LAST)
    client.complete(again)
    client.measure()
    assert_untouched(client, build, again)


def test_takes_no_wrong_bytes_at_a_signed_address(client: Client) -> None:
    build = client.open()
    upload = client.start(build)
    signed = client.sign(upload, 1, FIRST)
    claimed = {**signed, "headers": client.sign(upload, 1, FORGED)["headers"]}

    assert put(signed, FORGED) >= 400
    assert put(claimed, FORGED) >= 400
    assert put({**signed, "headers": {}}, FORGED) >= 400
    assert client.get(upload["urls"]["self"]).json["arrived"] == []

    assert put(signed, FIRST) == 200
    assert put(client.sign(upload, 2, LAST), LAST) == 200
    client.complete(upload)
    client.measure()
    assert_untouched(client, build, upload)


def assert_untouched(client: Client, build: dict[str, Any], upload: dict[str, Any]) -> None:
    """The genuine bytes are sealed, attested and handed out."""
    stored = client.get(upload["urls"]["self"]).json
    assert stored["state"] == "stored"
    assert client.seal(build).status == 200
    client.shop.attest()
    subjects = {one.sha256 for one in Attestation.objects.get().subjects.all()}
    assert subjects == {digest_of(WHOLE).hex}
    download = client.curl(
        client.at(f"{stored['urls']['artifact']}/download"), token=client.shop.tokens.reader
    )
    assert (download.status, digest_of(download.body)) == (200, digest_of(WHOLE))


def test_answers_for_a_directory_with_the_way_that_is_open(
    shop: Shop, curl: Callable[..., Answer]
) -> None:
    headers = ("-X", "POST", "-H", "Content-Type: application/json")
    token = shop.tokens.uploader
    build = curl(*headers, "-d", "{}", f"{shop.url}/builds", token=token).json
    announced = {"path": "a", "sha256": digest_of(WHOLE).hex, "size_bytes": len(WHOLE)}

    refused = curl(
        *headers,
        "-d",
        json.dumps(announced),
        shop.web.at(build["urls"]["uploads"]),
        token=token,
    )

    assert refused.status == 409
    assert refused.is_problem("direct-uploads-unavailable")
    assert "PUT" in refused.json["instead"]
    with pytest.raises(Exception, match="no bucket to probe"):
        call_command("probe_bucket")
