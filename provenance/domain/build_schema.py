"""The closed JSON Schema of each buildType of this store; our own verifier enforces it.

SLSA v1.2, "Verifying artifacts": verifiers SHOULD reject externalParameters that they do not
recognise. We close every object that we define.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator

from provenance.domain.confirmation import FIELDS, IN_PROGRESS
from provenance.domain.platforms import FORMS, Form, Parameter, build_type, form_of

_TEXT: Final[Mapping[str, Any]] = {"type": "string", "minLength": 1, "maxLength": 2048}
_UUID: Final[Mapping[str, Any]] = {
    "type": "string",
    "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
}
_TIME: Final[Mapping[str, Any]] = {
    "type": "string",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$",
}
_HOSTING: Final[Mapping[str, Any]] = {"enum": ["hosted", "self-hosted", "unknown"]}
_COMMIT: Final[Mapping[str, Any]] = {"type": "string", "pattern": "^([0-9a-f]{40}|[0-9a-f]{64})$"}


@dataclass(frozen=True, slots=True)
class Violation:
    """Where a predicate leaves the schema: what stands there, and what should."""

    expected: str
    found: str


def schema(form: Form, *, base_url: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a predicate of this buildType, closed."""
    builder = {"type": "string", "pattern": f"^{_literal(base_url)}/builders/"}
    metadata: dict[str, Any] = {"startedOn": _TIME, "finishedOn": _TIME}
    if form.ids is not None:
        metadata["invocationId"] = _TEXT
    details = {"builder": _closed({"id": builder}), "metadata": _closed(metadata)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{build_type(form, base_url=base_url)}/schema.json",
        "title": form.title,
        **_closed(
            {
                "buildDefinition": _build_definition(form, base_url),
                "runDetails": _closed(details),
            }
        ),
    }


def first_violation(predicate: Mapping[str, Any], *, base_url: str) -> Violation | None:
    """The first place where the predicate leaves its buildType's schema; None if nowhere."""
    definition = predicate.get("buildDefinition")
    found = definition.get("buildType") if isinstance(definition, Mapping) else None
    form = form_of(found, base_url=base_url)
    if form is None:
        known = ", ".join(build_type(one, base_url=base_url) for one in FORMS.values())
        return Violation(f"buildDefinition/buildType: one of {known}", str(found)[:300])
    errors = sorted(
        _validator(form.build_type_name, base_url).iter_errors(predicate),
        key=lambda error: list(map(str, error.path)),
    )
    if not errors:
        return None
    where = "/".join(map(str, errors[0].path)) or "predicate"
    return Violation(expected=f"{where}: {errors[0].validator}", found=errors[0].message[:300])


def _build_definition(form: Form, base_url: str) -> dict[str, Any]:
    definition: dict[str, Any] = {
        "buildType": {"const": build_type(form, base_url=base_url)},
        "externalParameters": _closed({form.external_member: _parameters(form.external)}),
        "internalParameters": _internal_parameters(form),
    }
    if form.ids is not None:
        dependency = {"name": _TEXT, "uri": _TEXT, "digest": _closed({"gitCommit": _COMMIT})}
        definition["resolvedDependencies"] = {
            "type": "array",
            "items": _closed(dependency),
            "minItems": 2,
            "maxItems": 3,
        }
    return _closed(definition)


def _internal_parameters(form: Form) -> dict[str, Any]:
    """The platform's own, and what it confirmed where a job was: with the one comes the other."""
    if form.ids is None:
        return _closed({"upload": _closed({**_UPLOAD, "confirmed": {"const": False}})})
    members = {
        form.member: _parameters(form.internal),
        "upload": _closed(_UPLOAD),
        "confirmation": _CONFIRMATION,
    }
    is_confirmed = {"properties": {"upload": {"properties": {"confirmed": {"const": True}}}}}
    return {
        **_closed(members, optional=["confirmation"]),
        "if": is_confirmed,
        "then": {"required": ["confirmation"]},
        "else": {"properties": {"confirmation": False}},
    }


_UPLOAD: Final[Mapping[str, Any]] = {
    "issuer": _TEXT,
    "project": _UUID,
    "build": _UUID,
    "confirmed": {"type": "boolean"},
    "token_id_sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
}


def _parameters(rows: Sequence[Parameter]) -> dict[str, Any]:
    members = {row.name: _HOSTING if row.fact == "hosting" else _TEXT for row in rows}
    return _closed(members, optional=[row.name for row in rows if row.is_optional])


def _closed(
    properties: Mapping[str, Mapping[str, Any]], *, optional: Collection[str] = ()
) -> dict[str, Any]:
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


_NAMES: Final[Mapping[str, Any]] = {"enum": [*FIELDS, IN_PROGRESS]}
_CONFIRMATION: Final[Mapping[str, Any]] = _closed(
    {
        "api": _TEXT,
        "asked_at": _TIME,
        "compared": {"type": "array", "items": _NAMES, "minItems": 1, "uniqueItems": True},
        "not_compared": {"type": "array", "items": _closed({"field": _NAMES, "why": _TEXT})},
    }
)


@cache
def _validator(build_type_name: str, base_url: str) -> Draft202012Validator:
    form = next(form for form in FORMS.values() if form.build_type_name == build_type_name)
    document = schema(form, base_url=base_url)
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)
