"""Object lock: what a bucket protects by itself, also from whoever has the store's credentials.

A hold is on one version. HEAD does not tell of it on every server once a delete marker is newer,
so each version is asked for its hold; several at once, because each question is a request.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from artifacts.adapters.s3.answers import says_unlocked
from artifacts.adapters.s3.connection import Bucket
from artifacts.errors import BlobMissing, StorageUnavailable
from artifacts.ports import ObjectVersion

logger = logging.getLogger(__name__)

AT_ONCE: Final = 8


class S3ObjectHolds:
    """Implements ObjectHolds in one bucket that was made with object lock."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def are_held(self, objects: Sequence[ObjectVersion]) -> Sequence[bool]:
        return _each(self._is_held, objects)

    def hold(self, objects: Sequence[ObjectVersion]) -> Sequence[bool]:
        return _each(self._hold, objects)

    def release(self, objects: Sequence[ObjectVersion]) -> Sequence[bool]:
        return _each(self._release, objects)

    def _is_held(self, one: ObjectVersion) -> bool:
        try:
            found = self._bucket.ask("get_object_legal_hold", one.key, one.pin)
        except BlobMissing:
            return False
        except StorageUnavailable as refusal:
            if says_unlocked(refusal):
                return False
            raise
        return bool(found["LegalHold"].get("Status") == "ON")

    def _hold(self, one: ObjectVersion) -> bool:
        try:
            self._set(one, "ON")
        except (BlobMissing, StorageUnavailable) as refusal:
            logger.warning("object not held", extra={"key": one.key, "refusal": str(refusal)})
            return False
        return True

    def _release(self, one: ObjectVersion) -> bool:
        try:
            self._set(one, "OFF")
        except BlobMissing:
            return True
        except StorageUnavailable as refusal:
            logger.warning("object not released", extra={"key": one.key, "refusal": str(refusal)})
            return False
        return True

    def _set(self, one: ObjectVersion, status: str) -> None:
        self._bucket.ask("put_object_legal_hold", one.key, one.pin, LegalHold={"Status": status})


def protection(bucket: Bucket) -> Mapping[str, str]:
    """Whether old versions are kept, and objects locked: `Enabled`, or what else it says."""
    versioning = bucket.ask("get_bucket_versioning")
    try:
        lock = bucket.ask("get_object_lock_configuration")
    except (BlobMissing, StorageUnavailable):
        lock = {}  # a server without any says so by an error
    locked = lock.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled", "no")
    return {"versioning": versioning.get("Status", "no"), "object-lock": locked}


def _each(act: Callable[[ObjectVersion], bool], objects: Sequence[ObjectVersion]) -> Sequence[bool]:
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="holds") as threads:
        return list(threads.map(act, objects))
