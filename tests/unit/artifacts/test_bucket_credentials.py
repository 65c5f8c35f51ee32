"""Whose credentials a bucket is spoken to with: those that stand there when it is made.

boto3's shared session keeps the first that anybody in the process asked it for, for good.
"""

from collections.abc import Callable
from typing import Final

import boto3
import pytest

from artifacts.adapters.s3.connection import Bucket, S3Settings, Upload
from artifacts.adapters.s3.signed_reads import SignedReads
from artifacts.ports import Attachment, StoredBytes
from kernel.digest import Sha256

SETTINGS: Final = S3Settings("blobs", "http://127.0.0.1:1", uses_path_style=True)
DIGEST: Final = Sha256("ab" * 32)


def to_write() -> str:
    return Bucket(SETTINGS).part_url(Upload("blobs/x", "1"), 1, DIGEST, seconds=60)


def to_read() -> str:
    attachment = Attachment("attachment", "application/octet-stream")
    return SignedReads(SETTINGS).url(StoredBytes(DIGEST, 1, "blobs/x"), attachment)


@pytest.mark.parametrize("address", [to_write, to_read])
def test_signs_with_its_own_credentials_whoever_asked_boto3_before(
    address: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-somebody-else")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "their-secret")
    boto3.client("kms", region_name="us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-store")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "its-secret")

    assert "X-Amz-Credential=of-the-store%2F" in address()
