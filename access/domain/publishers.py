"""Which CI identity a trusted publisher stands for, as a table of claims that must all agree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from access.domain.claims import NUMBER, WORKFLOW_PATH, Check
from access.errors import PublisherNotAllowed
from provenance.domain.build_facts import Witnessed


@dataclass(frozen=True, slots=True)
class PublisherIdentity:
    """The four claims of a trusted publisher; all are always required (PRODUCT.md rule 5).

    `issuer` is the URL. Ids and not names: a re-created repository or owner has new ones.
    """

    issuer: str
    repository_id: str
    owner_id: str
    workflow_path: str


@dataclass(frozen=True, slots=True)
class Difference:
    """The first claim that differs from what the publisher asks for."""

    claim: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class _Rule:
    claim: str
    wanted: Callable[[PublisherIdentity], str]
    witnessed: Callable[[Witnessed], str]


# In the order in which a refusal names them.
REQUIRED: Final[Sequence[_Rule]] = (
    _Rule("issuer", lambda publisher: publisher.issuer, lambda facts: facts.issuer),
    _Rule(
        "repository_id",
        lambda publisher: publisher.repository_id,
        lambda facts: facts.repository_id,
    ),
    _Rule("owner_id", lambda publisher: publisher.owner_id, lambda facts: facts.owner_id),
    _Rule(
        "workflow_path",
        lambda publisher: publisher.workflow_path,
        lambda facts: facts.workflow_path,
    ),
)
# Who knows these two of a publisher stands in its repository and may be told what else differs.
_DISCLOSING: Final = ("issuer", "repository_id")

_FORMS: Final[Sequence[tuple[str, Check, Callable[[PublisherIdentity], str]]]] = (
    ("repository_id", NUMBER, lambda publisher: publisher.repository_id),
    ("owner_id", NUMBER, lambda publisher: publisher.owner_id),
    ("workflow_path", WORKFLOW_PATH, lambda publisher: publisher.workflow_path),
)


def first_difference(publisher: PublisherIdentity, facts: Witnessed) -> Difference | None:
    """The first claim that differs; None when all agree. An empty claim agrees with nothing."""
    for rule in REQUIRED:
        wanted, found = rule.wanted(publisher), rule.witnessed(facts)
        if not wanted or wanted != found:
            return Difference(rule.claim, wanted, found)
    return None


def may_be_disclosed(difference: Difference) -> bool:
    """Whether the refusal may name it: only after issuer and repository id have agreed."""
    return difference.claim not in _DISCLOSING


def check_publisher(publisher: PublisherIdentity) -> None:
    """Refuse a publisher that no token could ever match.

    Raises:
        PublisherNotAllowed: naming the field and its form.
    """
    for name, check, value in _FORMS:
        if not check.accepts(value(publisher)):
            raise PublisherNotAllowed(field=name, expected=check.expected)
