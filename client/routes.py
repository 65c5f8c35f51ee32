"""Which way a file goes, through the store or straight to its bucket: by what the store takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from client.answers import member
from client.errors import FileTooLarge, StoreRefused
from client.files import Meant
from client.http import Store

MOST_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Routes:
    """The limits of a store as it names them, and what the user chose.

    `direct_from` is the size from which a file goes direct, None where none does; `hindrance` says
    why, as facts.
    """

    through: Mapping[str, Any]
    direct_from: int | None
    direct_limit: int
    hindrance: Mapping[str, Any]

    def is_direct(self, size_bytes: int) -> bool:
        """Whether a file of this size goes straight to the bucket; an empty one has no part."""
        if self.direct_from is None or not size_bytes:
            return False
        return size_bytes >= self.direct_from or size_bytes > member(
            self.through, "limit_bytes", int
        )

    def limit_for(self, size_bytes: int) -> int:
        """The most bytes that the way of such a file takes."""
        if self.is_direct(size_bytes):
            return self.direct_limit
        return member(self.through, "limit_bytes", int)

    def require(self, meant: Sequence[Meant]) -> None:
        """Refuse what no way takes, before anything is hashed or sent.

        Raises:
            FileTooLarge: with the limit, what was observed, and who can change it.
        """
        sizes = {one.path: one.file.stat().st_size for one in meant}
        too_large = {path: size for path, size in sizes.items() if size > self.limit_for(size)}
        if not too_large:
            return
        largest = max(too_large.values())
        facts = {name: value for name, value in self.through.items() if name != "limit_bytes"}
        raise FileTooLarge(
            files=sorted(too_large)[:MOST_SHOWN],
            count=len(too_large),
            limit_bytes=self.limit_for(largest),
            observed_bytes=largest,
            **facts,
            no_direct_uploads=dict(self.hindrance) or None,
        )


def routes_of(store: Store, *, wanted: bool | None) -> Routes:
    """What the store takes. `wanted` True sends all direct, False nothing, None by size.

    Raises:
        StoreRefused: direct uploads are wanted, and the store offers none.
    """
    limits = store.get(store.address("api", "v1", "limits")).document
    through, direct = member(limits, "upload", dict), member(limits, "direct", dict)
    is_offered = member(direct, "is_offered", bool)
    if wanted and not is_offered:
        raise StoreRefused(
            status=409,
            code="direct-uploads-unavailable",
            title="This store takes no uploads past itself, straight to its bucket.",
            facts=member(direct, "hindrance", dict),
        )
    if wanted is False or not is_offered:
        chosen = {"reason": "--no-direct"}
        return Routes(through, None, 0, chosen if is_offered else member(direct, "hindrance", dict))
    start = 1 if wanted else member(direct, "from_bytes", int)
    return Routes(through, start, member(direct, "limit_bytes", int), {})
