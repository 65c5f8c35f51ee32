"""An S3 server's answers as ours: no word of the server's reaches a client."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

from botocore.exceptions import BotoCoreError, ClientError

from artifacts.errors import BlobMissing, StorageFull, StorageUnavailable

logger = logging.getLogger(__name__)

_FULL_STATUS: Final = 507
_FULL: Final = frozenset(
    {"QuotaExceeded", "XMinioStorageFull", "XAmzStorageFull", "InsufficientStorage"}
)
_EXISTS: Final = frozenset({"PreconditionFailed", "412"})
_GONE: Final = frozenset({"NoSuchKey", "NotFound", "404"})
# Of an object that nobody ever locked, and of a delete marker, which is none.
_UNLOCKED: Final = frozenset({"NoSuchObjectLockConfiguration", "MethodNotAllowed"})
_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9.]{1,100})</Code>")


class ObjectExists(Exception):
    """There is an object under this key already; nothing was written."""


def code_of(problem: bytes) -> str:
    """The code in the body of a refusal."""
    found = _CODE.search(problem)
    return found[1].decode() if found else ""


def says_unlocked(refusal: StorageUnavailable) -> bool:
    """Whether the object that was asked about its lock has none."""
    return refusal.facts.get("reason") in _UNLOCKED


@contextmanager
def translated(key: str, *, exists: bool = False) -> Iterator[None]:
    """boto3's errors as refusals; `exists` where the request was made only for a new object."""
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response.get("Error", {}).get("Code", "")
        if code in _EXISTS and not exists:
            code = f"unexpected {code}"
        refuse(status, code, key=key)
    except BotoCoreError as error:
        raise StorageUnavailable(reason=type(error).__name__) from error


def refuse(status: int, code: str, *, key: str) -> NoReturn:
    """The server's answer as ours. Its own words are for the log: they may name the account."""
    if code in _EXISTS or status == 412:  # noqa: PLR2004 - RFC 9110: precondition failed
        raise ObjectExists
    if code in _UNLOCKED:
        raise StorageUnavailable(reason=code)  # an answer for who asks about locks: not logged
    if code in _GONE or status == 404:  # noqa: PLR2004 - RFC 9110: not found
        if code == "NoSuchBucket":
            raise StorageUnavailable(reason="NoSuchBucket")
        raise BlobMissing(key=key)
    if code in _FULL or status == _FULL_STATUS:
        raise StorageFull(reason=code or str(status))
    logger.error("the S3 server refused a request", extra={"status": status, "code": code})
    raise StorageUnavailable(reason=code or f"status {status}")
