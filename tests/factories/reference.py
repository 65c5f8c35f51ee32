"""The API reference as tests hold answers against it: closed, so that nothing is left unsaid."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from config.reference.document import openapi_json


@cache
def closed_document() -> dict[str, Any]:
    """The document, with every object of named members closed: clients get it open."""
    document: dict[str, Any] = close(json.loads(openapi_json()))
    return document


def close(schema: Any) -> Any:
    """The same, with `additionalProperties: false` wherever members are named."""
    if isinstance(schema, list):
        return [close(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    written = {name: close(value) for name, value in schema.items()}
    if written.get("type") == "object" and isinstance(written.get("properties"), dict):
        written.setdefault("additionalProperties", False)
    return written


def response_of(endpoint: str, status: int) -> Mapping[str, Any] | None:
    """What is written about one status of `GET /api/v1/…`; None where there is nothing."""
    method, _, path = endpoint.partition(" ")
    operation = closed_document()["paths"].get(path, {}).get(method.lower())
    response = operation["responses"].get(str(status)) if operation is not None else None
    return resolved(response) if response is not None else None


def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a `$ref` leads to, or the node itself."""
    if "$ref" not in node:
        return node
    found: Any = closed_document()
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return resolved(found)


@cache
def validator(endpoint: str, status: int, media_type: str) -> Draft202012Validator | None:
    """Judges a body; None where this type of content is not written down for this answer."""
    response = response_of(endpoint, status)
    content = response.get("content", {}).get(media_type) if response is not None else None
    return validator_of(content["schema"]) if content is not None else None


def validator_of(schema: Mapping[str, Any]) -> Draft202012Validator:
    """Judges by a schema of the document, with all that it refers to."""
    whole = {"components": closed_document()["components"], **schema}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
