"""What may be listed of an archive, and what may be fetched from it.

An archive's names, sizes and structure are words of whoever made it: they are shown, believed
never, and each limit is held against what was really read.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from artifacts.domain.names import is_path
from kernel.errors import Kind, Refusal

MEBIBYTE: Final = 1024**2


class NotAnArchive(Refusal):
    """The artifact is no archive of a kind that can be looked into here."""

    code = "not-an-archive"
    kind = Kind.UNSUPPORTED


class ArchiveMalformed(Refusal):
    """The archive cannot be read: its structure contradicts itself, or it ends too early."""

    code = "archive-malformed"
    kind = Kind.INVALID


class ArchiveTooCostly(Refusal):
    """To answer this the store would have to read or unpack more than it does."""

    code = "archive-too-costly"
    kind = Kind.TOO_LARGE


class ArchiveMemberNotFound(Refusal):
    """The archive has no member of this path."""

    code = "archive-member-not-found"
    kind = Kind.NOT_FOUND


class ArchiveMemberNotFetchable(Refusal):
    """The archive has this member, but it is not handed out alone."""

    code = "archive-member-not-fetchable"
    kind = Kind.INVALID


class MemberKind(StrEnum):
    """What a member is."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of an archive, as the archive describes it; `target` is where a link points."""

    path: str
    kind: MemberKind
    size_bytes: int
    is_encrypted: bool = False
    is_sparse: bool = False
    target: str = ""

    @property
    def why_not(self) -> str:
        """Why it cannot be fetched; empty where it can."""
        reasons = {
            f"it is no file, but: {self.kind.value}": self.kind is not MemberKind.FILE,
            "it is encrypted": self.is_encrypted,
            "it has holes": self.is_sparse,
            "its path is not safe": not is_path(self.path),
        }
        return next((reason for reason, holds in reasons.items() if holds), "")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much work one request may cause."""

    members: int = 50_000
    directory_bytes: int = 4 * MEBIBYTE
    expanded_bytes: int = 4096 * MEBIBYTE
    ratio: int = 200
    ratio_from_bytes: int = 16 * MEBIBYTE
    decompressor_bytes: int = 128 * MEBIBYTE
    seconds: float = 20.0

    def require(self, limit: str, observed: float) -> None:
        """Refuse what is above the limit of this name.

        Raises:
            ArchiveTooCostly: it is.
        """
        allowed = getattr(self, limit)
        if observed > allowed:
            raise ArchiveTooCostly(limit=limit, allowed=allowed, observed=round(observed, 1))

    def require_expanded(self, expanded: int, *, packed: int) -> None:
        """Refuse what grows too much while it is unpacked.

        Raises:
            ArchiveTooCostly: it does.
        """
        self.require("expanded_bytes", expanded)
        if expanded > self.ratio_from_bytes:
            self.require("ratio", expanded / max(packed, 1))
