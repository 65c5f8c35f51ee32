"""The API reference: whole, valid, the same as the committed file, and browsable from here alone.

UPDATE=1 writes docs/openapi.json anew. That answers are as written is held against every answer
to every test (tests/answers_as_written.py).
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from django.contrib.staticfiles import finders
from django.test import Client, RequestFactory

from config.reference.document import openapi_json
from config.reference.operations import OPERATIONS, UNDESCRIBED, refusals_of
from config.reference.pages import docs
from kernel.problems import MEDIA_TYPE
from kernel.reference import HEADERS, PATH_PARAMETERS, Asker
from tests.factories.addresses import methods, patterns, written
from tests.factories.reference import closed_document, resolved, validator_of

ROOT: Final = Path(__file__).resolve().parent.parent.parent.parent
COMMITTED: Final = ROOT / "docs" / "openapi.json"
DOCUMENT: Final[dict[str, Any]] = json.loads(openapi_json())


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def contents() -> Iterator[Any]:
    """Every body of a request or an answer that has an example, with its schema."""
    for endpoint, operation in operations():
        bodies = [("request", operation["requestBody"])] if "requestBody" in operation else []
        for where, body in [*bodies, *operation["responses"].items()]:
            for media_type, content in resolved(body).get("content", {}).items():
                if "example" in content:
                    name = f"{endpoint} {where} {media_type}"
                    yield pytest.param(content["schema"], content["example"], id=name)


def test_describes_every_address_and_no_other() -> None:
    described = {endpoint for endpoint, _operation in operations()}
    answered = {
        f"{method} {written(route)}"
        for route, pattern in patterns()
        if route not in UNDESCRIBED
        for method in (methods(pattern) or ["GET"])
    }

    assert described == answered == set(OPERATIONS)


def test_is_the_committed_file() -> None:
    if os.environ.get("UPDATE") == "1":
        COMMITTED.write_bytes(openapi_json())

    assert COMMITTED.read_bytes() == openapi_json(), "UPDATE=1 writes it anew"


def test_names_each_operation_once_and_in_words() -> None:
    names = [operation["operationId"] for _endpoint, operation in operations()]

    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)


def test_says_of_each_operation_for_whom_it_is_and_what_it_takes() -> None:
    tags = {tag["name"] for tag in DOCUMENT["tags"]}

    for endpoint, operation in operations():
        assert set(operation["tags"]) <= tags, endpoint
        assert operation["summary"], endpoint
        assert bool(operation["security"]) is (OPERATIONS[endpoint].asker is not Asker.ANYBODY)


@pytest.mark.parametrize("endpoint", sorted(OPERATIONS))
def test_documents_the_codes_of_each_operation(endpoint: str) -> None:
    responses = closed_document()["paths"][endpoint.partition(" ")[2]]
    answered = responses[endpoint.partition(" ")[0].lower()]["responses"].values()
    codes = {
        code
        for response in answered
        for code in resolved(response).get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
    }

    assert codes == {refusal.code for refusal in refusals_of(endpoint, OPERATIONS[endpoint])}


@pytest.mark.parametrize(("schema", "example"), list(contents()))
def test_gives_examples_that_are_as_described(schema: dict[str, Any], example: Any) -> None:
    assert [error.message for error in validator_of(schema).iter_errors(example)] == []


def test_uses_every_word_that_it_explains() -> None:
    used = json.dumps([operation["responses"] for _endpoint, operation in operations()])
    used += json.dumps(DOCUMENT["components"]["responses"])
    paths = " ".join(DOCUMENT["paths"])

    assert [name for name in HEADERS if f"/headers/{name}" not in used] == []
    assert [name for name in PATH_PARAMETERS if f"{{{name}}}" not in paths] == []


def test_says_the_same_as_yaml() -> None:
    answer = Client().get("/api/v1/openapi.yaml")

    assert yaml.load(answer.content, yaml.CSafeLoader) == DOCUMENT


@pytest.mark.parametrize("address", ["/api/v1/openapi.json", "/api/v1/openapi.yaml"])
def test_is_not_sent_twice_to_who_has_it(address: str) -> None:
    first = Client().get(address)

    again = Client().get(address, headers={"If-None-Match": first["ETag"]})

    assert (first.status_code, again.status_code) == (200, 304)
    assert (again["ETag"], again.content) == (first["ETag"], b"")


def test_lets_the_page_load_nothing_from_elsewhere(rf: RequestFactory) -> None:
    response = docs(rf.get("/api/v1/docs"))

    addresses = re.findall(r'(?:src|href)="([^"]+)"', response.content.decode())
    assert addresses
    assert [one for one in addresses if not one.startswith("/")] == []
    assert "script-src 'self';" in response["Content-Security-Policy"]
    assert b"<script>" not in response.content


def test_brings_what_the_page_needs(rf: RequestFactory) -> None:
    page = docs(rf.get("/api/v1/docs")).content.decode()

    assets = re.findall(r'(?:src|href)="/static/([^"]+)"', page)
    assert len(assets) == 5
    assert [asset for asset in assets if finders.find(asset) is None] == []
