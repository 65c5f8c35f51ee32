"""Addresses from which one object of a bucket can be read for a short time, without credentials."""

from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from artifacts.adapters.s3.connection import S3Settings
from artifacts.errors import StorageUnavailable
from artifacts.ports import Attachment, StoredBytes

# PRODUCT: an address that was given out lives at most so long after a revocation.
URL_SECONDS: Final = 60


class SignedReads:
    """Implements ReadAddresses. Signing asks nobody: the object may be gone.

    SigV4 signs the host, so `settings.endpoint` is the one that the reader will use, which need
    not be the one that the store uses itself.
    """

    def __init__(self, settings: S3Settings) -> None:
        self._bucket = settings.bucket
        # A session of its own: the shared one keeps the first credentials it was asked for.
        self._client: Any = boto3.Session().client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name=settings.region,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if settings.uses_path_style else "auto"},
            ),
        )

    def url(self, stored: StoredBytes, attachment: Attachment) -> str:
        version = {"VersionId": stored.pin.version_id} if stored.pin.version_id else {}
        try:
            url: str = self._client.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": stored.key,
                    **version,
                    "ResponseContentDisposition": attachment.disposition,
                    "ResponseContentType": attachment.content_type,
                    "ResponseCacheControl": "private, no-store",
                },
                ExpiresIn=URL_SECONDS,
            )
        except BotoCoreError as error:
            raise StorageUnavailable(reason=type(error).__name__) from error
        return url
