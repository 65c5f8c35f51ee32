"""A store whose bytes are in a bucket: uploaded, attested, downloaded, damaged, and away."""

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from artifacts.models import Blob
from tests.factories.s3_server import (
    ACCESS_KEY,
    SECRET_KEY,
    S3Server,
    is_installed,
    running_s3,
)
from tests.journeys.conftest import Answer, Shop, digest_of, running_web

BUCKET = "journeys"
LARGE = bytes(range(256)) * (13 * 1024 * 4)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3Server]:
    """One of its own, because it is stopped here."""
    if not is_installed():
        pytest.skip("versitygw is not on PATH: .ci/run installs it")
    with running_s3(tmp_path / "s3") as running:
        running.new_bucket(BUCKET)
        yield running


@pytest.fixture
def bucket_shop(shop: Shop, server: S3Server) -> Iterator[Shop]:
    with running_web(
        port=0, **server.settings(BUCKET, STRONGROOM_S3_PART_BYTES=str(5 * 1024 * 1024))
    ) as web:
        yield replace(shop, web=web)


def test_carries_an_artifact_from_upload_to_verified_download(
    bucket_shop: Shop, server: S3Server, curl: Callable[..., Answer], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(LARGE)
    tokens = bucket_shop.tokens

    sent = curl("-T", str(file), bucket_shop.upload_url("dist/large"), token=tokens.uploader)
    again = curl("-T", str(file), bucket_shop.upload_url("dist/large"), token=tokens.uploader)
    bucket_shop.attest()
    download = bucket_shop.web.at(sent.json["urls"]["download"])
    whole = curl(download, token=tokens.reader)
    part = curl("-r", "5242870-5242889", download, token=tokens.reader)

    assert (sent.status, again.status) == (201, 200)
    assert sent.json["sha256"] == digest_of(LARGE).hex
    assert (whole.status, digest_of(whole.body)) == (200, digest_of(LARGE))
    assert (part.status, part.body) == (206, LARGE[5242870:5242890])
    blob = Blob.objects.get()
    client = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )
    client.put_object(Bucket=BUCKET, Key=blob.key, Body=bytes(len(LARGE)))
    damaged = curl(download, token=tokens.reader)
    # What was measured is not there any more: readers are pinned to it, and see no other bytes.
    assert damaged.is_problem("blob-missing")


def test_refuses_clearly_while_the_bucket_is_away(
    bucket_shop: Shop, server: S3Server, curl: Callable[..., Answer], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"small")
    url, token = bucket_shop.upload_url("dist/small"), bucket_shop.tokens.uploader
    assert curl("-T", str(file), url, token=token).status == 201
    assert curl(f"{bucket_shop.web.url}/readyz").status == 200
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()

    refused = curl("-T", str(file), bucket_shop.upload_url("dist/other"), token=token)
    ready = curl(f"{bucket_shop.web.url}/readyz")

    assert refused.status == 503
    assert refused.is_problem("storage-unavailable")
    assert ready.status == 503
    assert json.loads(ready.body)
