"""A checkpoint: the digest of one seal, signed, to be kept where this store has no hand. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed: at this moment the chain's newest seal was this one.

    `number` counts the store's checkpoints from 1; `seal_sha256` stands for all seals up to `seal`.
    """

    number: int
    seal: int
    seal_sha256: str
    made_at: datetime


class NotOurs(Exception):
    """These bytes are no checkpoint that this store's attestor has signed; the text says why."""


class CheckpointSigner(Protocol):
    """Signs checkpoints as the store's attestor."""

    def sign(self, checkpoint: Checkpoint) -> bytes:
        """The signed document, on one line without its end.

        Raises:
            Refusal: nobody can sign now, or not this.
        """
        ...


class CheckpointReader(Protocol):
    """Reads what a CheckpointSigner made, in whatever generation of its keys."""

    def read(self, unverified: bytes) -> Checkpoint:
        """What was signed.

        Raises:
            NotOurs: it was not signed by this store's attestor, or is no checkpoint.
        """
        ...


def digests_of(checkpoints: Iterable[Checkpoint]) -> dict[int, set[str]]:
    """What checkpoints say of each seal that they name: one digest, or somebody lied."""
    found: dict[int, set[str]] = {}
    for one in checkpoints:
        found.setdefault(one.seal, set()).add(one.seal_sha256)
    return found
