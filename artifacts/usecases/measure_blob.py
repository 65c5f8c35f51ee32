"""Measure stored bytes again: what is read now, whatever any row or server says of it."""

from collections.abc import Callable
from hashlib import sha256

from artifacts.ports import BlobStore, StoredBytes
from kernel.digest import Sha256


def measure_blob(
    *, store: BlobStore, stored: StoredBytes, reading: Callable[[], None] | None = None
) -> Sha256:
    """The digest of what is under the key, read once. `reading` is called with every piece.

    Raises:
        BlobMissing: nothing of this size and pin is there.
        StorageUnavailable: it cannot be read now.
    """
    whole = sha256()
    with store.open(stored.key, size_bytes=stored.size_bytes, pin=stored.pin) as reader:
        for chunk in reader.chunks(0, stored.size_bytes):
            whole.update(chunk)
            if reading is not None:
                reading()
    return Sha256.of(whole.digest())
