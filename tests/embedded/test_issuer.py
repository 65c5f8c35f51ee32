"""The development issuer: speaks as a CI platform does, and only to programs."""

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest

from config.embedded.issuer import WARNING, Issuer, Server, load_keys
from config.embedded.ports import LOOPBACK

AUDIENCE = "http://127.0.0.1:8420"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    keys = load_keys(tmp_path_factory.mktemp("issuer"))
    with Server(0, keys) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.issuer
        server.shutdown()
        thread.join()


def ask(
    issuer: Issuer, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    connection = HTTPConnection(LOOPBACK, urlsplit(issuer.url).port, timeout=60)
    try:
        sent = {"Content-Type": "application/json", **headers}
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()


def verified(issuer: Issuer, token: str) -> dict[str, Any]:
    """As a store reads it: discovery, keys, signature, audience, issuer, time."""
    _, discovery = ask(issuer, "GET", "/.well-known/openid-configuration")
    _, keys = ask(issuer, "GET", urlsplit(discovery["jwks_uri"]).path)
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=discovery["id_token_signing_alg_values_supported"],
        audience=AUDIENCE,
        issuer=discovery["issuer"],
        options={"require": ["exp", "iat", "nbf", "jti"]},
    )
    return claims


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_signs_with_the_keys_that_it_publishes(algorithm: str, issuer: Issuer) -> None:
    status, answer = ask(issuer, "POST", f"/token?algorithm={algorithm}", {"aud": AUDIENCE})

    assert status == 200
    assert jwt.get_unverified_header(answer["token"])["alg"] == algorithm
    assert verified(issuer, answer["token"])["iss"] == issuer.url


def test_merges_given_claims_over_a_jobs(issuer: Issuer) -> None:
    given = {"aud": AUDIENCE, "repository": "other/thing", "event_name": "release"}

    claims = verified(issuer, ask(issuer, "POST", "/token", given)[1]["token"])

    assert claims["event_name"] == "release"
    assert claims["repository_owner"] == "other"
    assert claims["workflow_ref"].startswith("other/thing/.github/workflows/")
    assert claims["runner_environment"] == "github-hosted"


def test_leaves_a_claim_out_when_it_is_null(issuer: Issuer) -> None:
    given = {"aud": AUDIENCE, "repository_id": None}

    claims = verified(issuer, ask(issuer, "POST", "/token", given)[1]["token"])

    assert "repository_id" not in claims


def test_gives_no_token_id_twice(issuer: Issuer) -> None:
    tokens = [ask(issuer, "POST", "/token", {"aud": AUDIENCE})[1]["token"] for _ in range(2)]

    assert len({verified(issuer, token)["jti"] for token in tokens}) == 2


def test_says_that_it_is_for_development_only(issuer: Issuer) -> None:
    for path in ("/", "/.well-known/openid-configuration"):
        assert ask(issuer, "GET", path)[1]["warning"] == WARNING


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Host": "rebound.evil.example"}],
    ids=["a page's script", "a name that was bound again"],
)
def test_refuses_a_browser(headers: dict[str, str], issuer: Issuer) -> None:
    status, answer = ask(issuer, "POST", "/token", {"aud": AUDIENCE}, **headers)

    assert status == 403
    assert "token" not in answer


@pytest.mark.parametrize(
    ("body", "headers"),
    [(["aud"], {}), ({"aud": AUDIENCE}, {"Content-Type": "text/plain"}), (None, {})],
    ids=["no object", "a form's content type", "no body"],
)
def test_refuses_what_is_not_claims(body: object, headers: dict[str, str], issuer: Issuer) -> None:
    assert ask(issuer, "POST", "/token", body, **headers)[0] == 400


def test_keeps_its_keys(tmp_path: Path) -> None:
    first = Issuer("http://127.0.0.1:1", load_keys(tmp_path)).key_set()

    assert Issuer("http://127.0.0.1:1", load_keys(tmp_path)).key_set() == first
    assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.iterdir())
