"""What the tables of claims are made of: rows, forms, and how a row is read.

Each row names the claim, the fact that it becomes, whether it must be there, and its form. Claims
without a row are ignored. A row that is optional and absent becomes the empty text.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from access.domain.identity_token import is_text, shown, text_claim
from access.errors import ClaimInvalid


@dataclass(frozen=True, slots=True)
class Check:
    """The form of a claim: what people are told, and the test."""

    expected: str
    accepts: Callable[[str], bool]


def matching(expected: str, pattern: str) -> Check:
    """Accepts what the whole pattern matches."""
    compiled = re.compile(pattern, re.ASCII)
    return Check(expected, lambda value: compiled.fullmatch(value) is not None)


TEXT: Final = Check("printable text", is_text)
NUMBER: Final = matching("a number", r"[1-9][0-9]{0,19}")
COMMIT: Final = matching("a commit: 40 or 64 hex digits", r"[0-9a-f]{40}|[0-9a-f]{64}")
FLAG: Final = matching("true or false", r"true|false")
REF: Final = matching("a full ref: refs/…", r"refs/[^ ]+")
VISIBILITY: Final = matching("public, private or internal", r"public|private|internal")


@dataclass(frozen=True, slots=True)
class Row:
    """One claim of a platform and the fact that it becomes."""

    claim: str
    fact: str
    check: Check
    is_required: bool


required = partial(Row, is_required=True)
optional = partial(Row, is_required=False)


@dataclass(frozen=True, slots=True)
class Events:
    """Which triggers may upload: the usual ones, and those that a publisher may opt in to.

    Everything that stands in neither list is refused, and no setting can add to them.
    """

    usual: Sequence[str]
    opt_in: Sequence[str]

    @property
    def known(self) -> tuple[str, ...]:
        """All that any publisher can accept."""
        return (*self.usual, *self.opt_in)


def read(rows: Sequence[Row], claims: Mapping[str, object]) -> dict[str, str]:
    """The facts of the rows.

    Raises:
        ClaimMissing: a required claim is not there.
        ClaimInvalid: a claim has another form.
    """
    return {row.fact: _fact(row, claims) for row in rows}


def _fact(row: Row, claims: Mapping[str, object]) -> str:
    # An optional claim that does not apply is absent or empty, by platform and version.
    if not row.is_required and claims.get(row.claim) in (None, ""):
        return ""
    value = text_claim(claims, row.claim)
    if not row.check.accepts(value):
        raise ClaimInvalid(claim=row.claim, expected=row.check.expected, found=shown(value))
    return value
