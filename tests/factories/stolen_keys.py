"""A thief with copies of the embedded signer's keys, who signs and dates what he likes."""

from datetime import datetime
from pathlib import Path

from provenance.adapters.embedded.generations import Generation, open_generation
from provenance.adapters.embedded.keys import KeyEncryptionKey
from tests.factories.bundles import Authority, Instance, Parts, encoded


class Thief(Instance):
    """Everything that the store signs with, in other hands."""

    def __init__(self, stolen: Generation) -> None:
        self.authority = Authority(key=stolen.authority.key)
        self.authority.root = stolen.authority.root
        self.authority.intermediate = stolen.authority.intermediate
        self.ct_key = stolen.certificates.key
        self.log_key = stolen.statements.key

    @classmethod
    def of_used_keys(cls, key_file: Path) -> "Thief":
        """Whoever copies what signs at this moment."""
        return cls(open_generation(KeyEncryptionKey.read(key_file)))

    def sign(self, *, at: datetime, payload: bytes) -> bytes:
        """A bundle that says of itself when it was signed."""
        return encoded(self.bundle(Parts(payload=payload, issued_at=at, integrated_at=at)))
