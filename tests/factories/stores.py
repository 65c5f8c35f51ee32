"""Every kind of store that bytes can be kept in, empty."""

from typing import Protocol

from artifacts.ports import Arrivals, BlobStore, Inventory


class Store(BlobStore, Inventory, Arrivals, Protocol):
    """What every adapter is."""


def read(store: BlobStore, key: str, size_bytes: int) -> bytes:
    """All bytes under the key."""
    with store.open(key, size_bytes=size_bytes) as reader:
        return b"".join(reader.chunks(0, size_bytes))
