"""An OpenID Connect provider for people on loopback: a real server that logs anybody in.

Whom it vouches for, and what is wrong with it, a test says beforehand. It checks what a provider
checks: the client and its secret, the redirect address, PKCE, and that a code is used once.
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.factories.ci_issuer import respond
from tests.factories.identity_tokens import PrivateKey, jwk, rsa_key, signed

CLIENT: Final = "strongroom"
SECRET: Final = "the-client's-secret"
AUTHORIZE, TOKEN, KEYS = "/authorize", "/token", "/keys"


@dataclass(slots=True)
class Provider:
    """What it says. `claims` wins over what it would sign; None leaves a claim out.

    `instead_of_code` replaces parameters of the way back; `signing_key` is another key to sign
    with than the published one; `discovery` replaces members of its description.
    """

    url: str
    key: PrivateKey = field(default_factory=rsa_key)
    claims: dict[str, Any] = field(default_factory=dict)
    instead_of_code: dict[str, str] = field(default_factory=dict)
    signing_key: PrivateKey | None = None
    discovery: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def description(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}{AUTHORIZE}",
            "token_endpoint": f"{self.url}{TOKEN}",
            "jwks_uri": f"{self.url}{KEYS}",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            **self.discovery,
        }

    def way_back(self, query: str) -> str:
        """Where the browser goes once the person has logged in."""
        given = {name: values[0] for name, values in parse_qs(query).items()}
        assert given["client_id"] == CLIENT
        assert given["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = given
        answer = {"code": code, "state": given["state"], **self.instead_of_code}
        return f"{given['redirect_uri']}?{urlencode(answer)}"

    def token(self, body: str) -> dict[str, str] | None:
        """The tokens for a code, or None where a provider refuses."""
        given = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.codes.pop(given.get("code", ""), None)
        challenge = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or (given.get("client_id"), given.get("client_secret")) != (CLIENT, SECRET)
            or given.get("redirect_uri") != asked["redirect_uri"]
            or base64.urlsafe_b64encode(challenge).decode().rstrip("=") != asked["code_challenge"]
        ):
            return None
        now = datetime.now(tz=UTC)
        claims = {
            "iss": self.url,
            "sub": "248289761001",
            "aud": CLIENT,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            "nonce": asked["nonce"],
            **self.claims,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return {
            "access_token": "opaque",
            "token_type": "Bearer",
            "id_token": signed(kept, self.signing_key or self.key),
        }


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def do_GET(self) -> None:
        provider, address = self.server.provider, urlsplit(self.path)
        provider.asked.append(address.path)
        match address.path:
            case "/.well-known/openid-configuration":
                respond(self, json.dumps(provider.description()).encode())
            case "/keys":
                respond(self, json.dumps({"keys": [jwk(provider.key, "key-1")]}).encode())
            case "/authorize":
                respond(self, b"", 302, Location=provider.way_back(address.query))
            case _:
                respond(self, b"{}", 404)

    def do_POST(self) -> None:
        provider = self.server.provider
        provider.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        tokens = provider.token(body)
        if tokens is None:
            respond(self, b'{"error": "invalid_grant"}', 400)
        else:
            respond(self, json.dumps(tokens).encode())

    def log_message(self, *_arguments: object) -> None:
        """Tests are quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.provider = Provider(f"http://127.0.0.1:{self.server_port}")


@contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider that listens until the end."""
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.provider
        finally:
            server.shutdown()
            thread.join()
