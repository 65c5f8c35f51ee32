"""in-toto statements: subjects and a predicate, as exact bytes (in-toto Statement v1)."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from kernel.digest import Sha256
from kernel.errors import Kind, Refusal

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
MAX_SUBJECTS: Final = 1024


class MalformedStatement(Refusal):
    """The signed payload is not an in-toto statement that we read."""

    code = "malformed-statement"
    kind = Kind.INVALID


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """What a statement is about: a name and a digest (in-toto ResourceDescriptor)."""

    name: str
    digest: Sha256


@dataclass(frozen=True, slots=True)
class Statement:
    """An unsigned in-toto statement."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any]


def encode(statement: Statement) -> bytes:
    """Write the statement once: compact JSON, sorted keys, UTF-8. These bytes are what is signed.

    Equal statements give equal bytes; nobody ever re-encodes them later.
    """
    document = {
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": subject.name, "digest": {"sha256": subject.digest.hex}}
            for subject in statement.subjects
        ],
        "predicateType": statement.predicate_type,
        "predicate": statement.predicate,
    }
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def unverified_statement(bundle: bytes) -> dict[str, Any] | None:
    """What stands in a bundle's envelope, for people to read; None where nothing readable does.

    Nothing is verified here: whether it counts is said by a decision, never by this.
    """
    try:
        statement = json.loads(base64.b64decode(json.loads(bundle)["dsseEnvelope"]["payload"]))
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return statement if isinstance(statement, dict) else None


def is_timestamped(bundle: bytes) -> bool:
    """Whether a bundle carries RFC 3161 timestamps, which tools are then told to demand.

    Nothing is verified here, and of what cannot be read the answer is no.
    """
    try:
        material = json.loads(bundle)["verificationMaterial"]
        return bool(material["timestampVerificationData"]["rfc3161Timestamps"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return False


# The thousand files of a statement are asked for one after the other. The answer depends on these
# very bytes and nothing else, and nobody writes to it; a refusal is never kept.
@lru_cache(maxsize=16)
def parse(payload: bytes) -> Statement:
    """Read a verified payload strictly: Statement v1, unique keys, SHA-256 subjects.

    Raises:
        MalformedStatement: anything else; `reason` says what.
    """
    try:
        document = json.loads(payload, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedStatement(reason=f"not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("_type") != STATEMENT_TYPE:
        raise MalformedStatement(reason="_type", expected=STATEMENT_TYPE)
    if set(document) != {"_type", "subject", "predicateType", "predicate"}:
        raise MalformedStatement(reason="unknown or missing members", found=sorted(document))
    predicate_type, predicate = document["predicateType"], document["predicate"]
    if not isinstance(predicate_type, str) or not isinstance(predicate, dict):
        raise MalformedStatement(reason="predicateType or predicate has another type")
    return Statement(_subjects(document["subject"]), predicate_type, predicate)


def _subjects(listed: object) -> tuple[Subject, ...]:
    if not isinstance(listed, Sequence) or not 1 <= len(listed) <= MAX_SUBJECTS:
        raise MalformedStatement(reason="subject", expected=f"1 to {MAX_SUBJECTS} subjects")
    subjects = []
    for entry in listed:
        match entry:
            case {"name": str(name), "digest": {"sha256": str(digest)}}:
                try:
                    subjects.append(Subject(name, Sha256(digest)))
                except Refusal as error:
                    raise MalformedStatement(reason="subject digest", found=digest[:80]) from error
            case _:
                raise MalformedStatement(reason="subject", expected="name and digest.sha256")
    return tuple(subjects)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a repeated key: two readers could see two statements in the same signed bytes."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice")
    return members


def _no_constant(found: str) -> None:
    raise ValueError(f"{found} is not JSON")
