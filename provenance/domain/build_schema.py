"""The closed JSON Schema of this store's buildType; our own verifier enforces it.

SLSA v1.2, "Verifying artifacts": verifiers SHOULD reject externalParameters that they do not
recognise. We close every object that we define.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator

from provenance.domain.slsa_v1 import build_type

_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 2048}
_UUID: Final = {
    "type": "string",
    "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
}
_TIME: Final = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
_COMMIT: Final = {"type": "string", "pattern": "^([0-9a-f]{40}|[0-9a-f]{64})$"}


@dataclass(frozen=True, slots=True)
class Violation:
    """Where a predicate leaves the schema: what stands there, and what should."""

    expected: str
    found: str


def schema(*, base_url: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a predicate of this store's buildType, closed."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{build_type(base_url=base_url)}/schema.json",
        "title": "A GitHub Actions job uploaded these files",
        **_closed(
            buildDefinition=_build_definition(base_url),
            runDetails=_closed(
                builder=_closed(
                    id={"type": "string", "pattern": f"^{_literal(base_url)}/builders/"}
                ),
                metadata=_closed(invocationId=_TEXT, startedOn=_TIME, finishedOn=_TIME),
            ),
        ),
    }


def first_violation(predicate: Mapping[str, Any], *, base_url: str) -> Violation | None:
    """The first place where the predicate leaves the schema, in document order; None if nowhere."""
    errors = sorted(
        _validator(base_url).iter_errors(predicate), key=lambda error: list(map(str, error.path))
    )
    if not errors:
        return None
    where = "/".join(map(str, errors[0].path)) or "predicate"
    return Violation(expected=f"{where}: {errors[0].validator}", found=errors[0].message[:300])


def _build_definition(base_url: str) -> dict[str, Any]:
    workflow = _closed(repository=_TEXT, ref=_TEXT, path=_TEXT)
    github = _closed(
        optional=("check_run_id", "environment", "ref_protected", "repository_visibility"),
        event_name=_TEXT,
        repository_id=_TEXT,
        repository_owner_id=_TEXT,
        repository_visibility=_TEXT,
        runner_environment={"enum": ["hosted", "self-hosted", "unknown"]},
        run_id=_TEXT,
        run_attempt=_TEXT,
        ref_protected=_TEXT,
        check_run_id=_TEXT,
        environment=_TEXT,
    )
    upload = _closed(
        issuer=_TEXT,
        project=_UUID,
        build=_UUID,
        confirmed={"type": "boolean"},
        token_id_sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"},
    )
    dependency = _closed(name=_TEXT, uri=_TEXT, digest=_closed(gitCommit=_COMMIT))
    return _closed(
        buildType={"const": build_type(base_url=base_url)},
        externalParameters=_closed(workflow=workflow),
        internalParameters=_closed(github=github, upload=upload),
        resolvedDependencies={
            "type": "array",
            "items": dependency,
            "minItems": 2,
            "maxItems": 3,
        },
    )


def _closed(*, optional: tuple[str, ...] = (), **properties: Mapping[str, Any]) -> dict[str, Any]:
    """An object that has these members and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _literal(text: str) -> str:
    """Escape a URL for a JSON Schema pattern (ECMA 262)."""
    return "".join(f"\\{char}" if char in ".?+*()[]{}|^$\\/" else char for char in text)


@cache
def _validator(base_url: str) -> Draft202012Validator:
    document = schema(base_url=base_url)
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)
