"""What the store answers, read with care: JSON of bounded size, problem documents, digests."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, TypeVar
from uuid import UUID

from client.errors import AnswerNotUnderstood, StoreRefused
from kernel.digest import Sha256, parse_digest_field
from kernel.errors import Refusal
from kernel.problems import MEDIA_TYPE

T = TypeVar("T")

MAX_JSON_BYTES: Final = 64 * 1024 * 1024
MAX_PROBLEM_BYTES: Final = 1024 * 1024
_CODE: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_TITLE: Final = 500
_OWN_MEMBERS: Final = frozenset({"title", "status", "code", "errors"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Header names are looked up in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def document(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            AnswerNotUnderstood: it is none.
        """
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            raise AnswerNotUnderstood(
                status=self.status, media_type=self.headers.get("Content-Type", "")
            ) from None
        if not isinstance(found, dict):
            raise AnswerNotUnderstood(status=self.status, expected="a JSON object")
        return found

    @property
    def digest(self) -> Sha256 | None:
        """The SHA-256 of `Repr-Digest`; None where the header is not there or names no SHA-256.

        Raises:
            AnswerNotUnderstood: the header cannot be read.
        """
        value = self.headers.get("Repr-Digest")
        if value is None:
            return None
        try:
            return parse_digest_field(value, header="Repr-Digest")
        except Refusal as refusal:
            raise AnswerNotUnderstood(**refusal.facts) from refusal


def member(document: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """A member of an answer that has to be there, as this type.

    Raises:
        AnswerNotUnderstood: it is not.
    """
    found = document.get(name)
    if not isinstance(found, kind):
        raise AnswerNotUnderstood(member=name, expected=kind.__name__)
    return found


def identity(document: Mapping[str, Any]) -> str:
    """The id of what an answer shows, which becomes a part of addresses.

    Raises:
        AnswerNotUnderstood: it is no UUID.
    """
    try:
        return str(UUID(member(document, "id", str)))
    except ValueError:
        raise AnswerNotUnderstood(member="id", expected="a UUID") from None


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list that is only shown; anything else in its place is passed over."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """The strings of such a list."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def refusal_in(answer: Answer) -> StoreRefused:
    """The refusal that an answer of 300 and above is, also when a proxy gave it."""
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    document: dict[str, Any] = {}
    if media_type == MEDIA_TYPE:
        try:
            document = answer.document
        except AnswerNotUnderstood:
            document = {}
    code, title = document.get("code"), document.get("title")
    if not isinstance(code, str) or not _CODE.fullmatch(code) or not isinstance(title, str):
        return StoreRefused(
            status=answer.status,
            code=f"http-{answer.status}",
            title=f"The answer is {answer.status} {_phrase(answer.status)}, without a reason.",
            facts=_without_empty({"location": answer.headers.get("Location")}),
        )
    facts = {name: value for name, value in document.items() if name not in _OWN_MEMBERS}
    request_id = answer.headers.get("X-Request-ID")
    facts = {**facts, **_without_empty({"request_id": request_id})}
    return StoreRefused(status=answer.status, code=code, title=title[:_LONGEST_TITLE], facts=facts)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(an unknown status)"


def _without_empty(facts: Mapping[str, str | None]) -> dict[str, object]:
    return {name: value for name, value in facts.items() if value}
