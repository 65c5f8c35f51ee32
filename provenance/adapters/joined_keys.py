"""The keys of several signers as one port: one trust root verifies what any of them signed."""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce

from provenance.domain.signing_keys import SigningKey
from provenance.domain.trust_document import joined_roots
from provenance.ports import SignerKeys


class JoinedKeys:
    """The first signer's keys, and beside them those of the others."""

    def __init__(self, first: SignerKeys, others: Sequence[SignerKeys]) -> None:
        self._first = first
        self._others = others

    def create(self, *, now: datetime) -> None:
        for keys in (self._first, *self._others):
            keys.create(now=now)

    def signing_key(self, *, now: datetime) -> SigningKey | None:
        return self._first.signing_key(now=now)

    def trusted_root(self) -> bytes:
        roots = [keys.trusted_root() for keys in (self._first, *self._others)]
        return reduce(joined_roots, roots)
