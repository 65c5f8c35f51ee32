"""Whatever is sent by whomever: no 500, and no answer that the API reference does not describe.

schemathesis makes the requests from the document, well-formed ones and others; addresses name what
is there. Each goes to an administrator and to one of the others in turn, and what it changes is
taken back. STRANGE_INPUT=<n> adds so many for each operation at random, in place of a few that are
always the same.
"""

import os
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any, Final

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import override_settings
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from kernel.reference import PATH_PARAMETERS
from tests.factories.attestor import new_attestor
from tests.factories.cast import Cast, assemble
from tests.factories.reference import closed_document
from tests.factories.undone import undone

AT_RANDOM: Final = int(os.environ.get("STRANGE_INPUT", "0"))
# An operation takes as long as it takes where somebody asks for many inputs.
pytestmark = [pytest.mark.timeout(0)] if AT_RANDOM else []
SCHEMA: Final = schemathesis.openapi.from_dict(closed_document())
SCHEMA.app = application
SCHEMA.config.phases.coverage.unexpected_methods = set()
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


class Crowd:
    """Everybody of the cast, each asking in turn; counts who asked how often and was told what."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.counts: Counter[str] = Counter()
        self._others = cycle(sorted(set(cast.secrets) - {"administrator"}))

    def askers(self) -> tuple[str, str]:
        """The administrator, who comes furthest, and whose turn it is."""
        return "administrator", next(self._others)

    def headers(self, who: str) -> dict[str, str]:
        """How they say who they are."""
        secret = self.cast.secrets[who]
        return {"Authorization": f"Bearer {secret}"} if secret is not None else {}

    def aim(self, path: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The same address with names of things that are there, where it only gives an example."""
        things = self.cast.things
        is_of_open_build = path.endswith(("/seal", "/uploads")) or "/files/" in path
        there = {
            "build": self.cast.open_build if is_of_open_build else things.build,
            "artifact": things.artifact,
            "identity": things.attestation,
            "token_id": things.token,
            "publisher_id": things.publisher,
            "invitation": things.invitation,
            "upload": things.upload,
            "path": things.path,
            "name": "development" if "/issuers/" in path else "github-actions-upload",
        }
        return {
            name: str(there[name]) if name in there and _is_example(name, value) else value
            for name, value in parameters.items()
        }


def _is_example(name: str, value: object) -> bool:
    """Whether it stands for anything: the document's example, or any id at all."""
    if value == PATH_PARAMETERS[name].example:
        return True
    try:
        uuid.UUID(str(value))
    except ValueError:
        return False
    return True


@pytest.fixture(scope="module")
def crowd(
    request: pytest.FixtureRequest,
    django_db_setup: None,  # noqa: ARG001 - the tables are there
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Crowd]:
    """One store for all requests, in a transaction that is never committed."""
    signals = (request_started, request_finished)
    for signal in signals:  # as Django's own test client: they would close the transaction's
        signal.disconnect(close_old_connections)
    # Whoever logs in with any password costs a quarter of a second of hashing, hundreds of times.
    quickly = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
    with quickly, django_db_blocker.unblock(), undone():
        everybody = Crowd(assemble(new_attestor(tmp_path_factory.mktemp("keys")), is_public=False))
        yield everybody
    for signal in signals:
        signal.connect(close_old_connections)
    told = ", ".join(f"{who} {count}" for who, count in sorted(everybody.counts.items()))
    report = f"strange input: {everybody.counts.total()} requests: {told}"
    request.config.get_terminal_writer().line(f"\n{report}")


@SCHEMA.parametrize()
@settings(
    max_examples=AT_RANDOM or 4,
    derandomize=not AT_RANDOM,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_answers_as_the_reference_says(case: schemathesis.Case[Any], crowd: Crowd) -> None:
    case.path_parameters = crowd.aim(case.operation.path, case.path_parameters)
    for who in crowd.askers():
        with undone():
            response = case.call(headers=crowd.headers(who))
            case.validate_response(response, checks=CHECKS)
        crowd.counts[who] += 1
