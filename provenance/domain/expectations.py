"""What a consumer is to expect of a project's artifacts, as one document to keep beforehand.

The store writes it and the client reads it with this module, so that both judge by the same
policy and trust map. Closed: a member that is not understood could be a rule that is not kept.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from kernel.errors import Kind, Refusal
from provenance.domain.builders import Level
from provenance.domain.policy import Enforcement, Source, TrustMap, VerificationPolicy

FORMAT: Final = 1
MAX_BYTES: Final = 1024 * 1024


class MalformedExpectations(Refusal):
    """This is no document of expectations that can be understood whole."""

    code = "malformed-expectations"
    kind = Kind.INVALID


@dataclass(frozen=True, slots=True)
class ProjectExpectations:
    """One project's policy and its store's trust map, at some moment.

    `base_url` is the store: the issuer of its certificates, and what its builder ids start with.
    """

    base_url: str
    project: UUID
    project_name: str
    policy: VerificationPolicy
    trust_map: TrustMap


def expectations_document(expectations: ProjectExpectations) -> dict[str, Any]:
    """Write the document; `read_expectations` gives equal expectations back."""
    policy, trust_map = expectations.policy, expectations.trust_map
    return {
        "expectations": FORMAT,
        "store": expectations.base_url,
        "project": {"id": str(expectations.project), "name": expectations.project_name},
        "policy": {
            "version": policy.version,
            "enforcement": policy.enforcement.value,
            "accepts_release": policy.accepts_release,
            "sources": [_source_document(source) for source in policy.sources],
        },
        "trust_map": {
            "version": trust_map.version,
            "key_is_shared": trust_map.key_is_shared,
            "levels": {who: trust_map.levels[who].value for who in sorted(trust_map.levels)},
        },
    }


def read_expectations(content: bytes) -> ProjectExpectations:
    """Read a document that a store or a person wrote.

    Raises:
        MalformedExpectations: it is too long, no JSON, or has a member too many or too few.
    """
    if len(content) > MAX_BYTES:
        raise MalformedExpectations(found=f"{len(content)} bytes", expected=f"at most {MAX_BYTES}")
    try:
        document = json.loads(content, object_pairs_hook=_unique)
        return _read(document)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise MalformedExpectations(reason=f"{type(error).__name__}: {error}"[:300]) from error


def _read(document: Mapping[str, Any]) -> ProjectExpectations:
    _closed(document, "expectations", "store", "project", "policy", "trust_map")
    if document["expectations"] != FORMAT:
        raise ValueError(f"format {document['expectations']!r}; this release reads {FORMAT}")
    project, policy, trust_map = document["project"], document["policy"], document["trust_map"]
    _closed(project, "id", "name")
    _closed(policy, "version", "enforcement", "accepts_release", "sources")
    _closed(trust_map, "version", "key_is_shared", "levels")
    return ProjectExpectations(
        base_url=_text(document["store"]),
        project=UUID(_text(project["id"])),
        project_name=_text(project["name"]),
        policy=VerificationPolicy(
            version=_number(policy["version"]),
            enforcement=Enforcement(policy["enforcement"]),
            sources=tuple(_source(source) for source in _list(policy["sources"])),
            accepts_release=_truth(policy["accepts_release"]),
        ),
        trust_map=TrustMap(
            version=_number(trust_map["version"]),
            levels={_text(who): Level(level) for who, level in trust_map["levels"].items()},
            key_is_shared=_truth(trust_map["key_is_shared"]),
        ),
    )


def _source_document(source: Source) -> dict[str, str]:
    if source.subject:
        return {"issuer": source.issuer, "subject": source.subject}
    return {
        "issuer": source.issuer,
        "repository_id": source.repository_id,
        "owner_id": source.owner_id,
    }


def _source(document: Mapping[str, Any]) -> Source:
    """A source names all of its ids: an empty one would stand for nothing to check."""
    if "subject" in document:
        _closed(document, "issuer", "subject")
    else:
        _closed(document, "issuer", "repository_id", "owner_id")
    return Source(**{name: _text(value) for name, value in document.items()})


def _closed(document: Mapping[str, Any], *members: str) -> None:
    if set(document) != set(members):
        raise ValueError(f"members {sorted(document)}, expected {sorted(members)}")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is no text")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is no list")  # noqa: TRY004 - as below
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no version")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")  # noqa: TRY004 - one class for all that is wrong with the document
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice")
    return members
