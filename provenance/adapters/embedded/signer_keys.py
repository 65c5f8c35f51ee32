"""The embedded signer's keys as a port: create them once, and say what verifies with them."""

from datetime import datetime
from pathlib import Path

from provenance.adapters.embedded.generations import create_keys
from provenance.adapters.embedded.keys import KeyEncryptionKey
from provenance.adapters.embedded.trust_root import trusted_root


class EmbeddedSignerKeys:
    """Keys in rows, sealed under the key-encryption key in a file."""

    def __init__(self, *, key_file: Path | None, base_url: str) -> None:
        self._key_file = key_file
        self._base_url = base_url

    def create(self, *, now: datetime) -> None:
        kek = KeyEncryptionKey.read(self._key_file)
        create_keys(kek, base_url=self._base_url, now=now)

    def signing_key(self, *, now: datetime) -> None:  # noqa: ARG002 - the port's signature
        return None

    def trusted_root(self) -> bytes:
        return trusted_root()
