"""The development issuer: gives any job any identity it asks for. For development only.

It speaks as a CI platform does (discovery document, keys, RS256 or ES256 tokens) with GitHub's
claims, so that the whole chain can be tried on one machine. Whoever can reach it can be anybody:
the store claims nothing for it and production settings refuse it.
"""

import argparse
import base64
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from config.embedded.credentials import write_private
from config.embedded.github_claims import job_claims
from config.embedded.ports import LOOPBACK

WARNING: Final = "DEVELOPMENT ONLY: this issuer gives anybody any identity"
LARGEST_REQUEST: Final = 64 * 1024
RSA_BITS: Final = 2048

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer with this address, which is its name, and one key for each algorithm."""

    url: str
    keys: dict[str, Key]

    def discovery(self) -> dict[str, Any]:
        """OpenID Connect's discovery document."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/.well-known/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": sorted(self.keys),
            "warning": WARNING,
        }

    def key_set(self) -> dict[str, Any]:
        """The public keys."""
        return {"keys": [_public(algorithm, key) for algorithm, key in self.keys.items()]}

    def token(self, given: dict[str, Any], *, algorithm: str, now: datetime) -> str:
        """A signed token with a job's claims; `given` wins, and null leaves a claim out."""
        merged = job_claims(self.url, given, now=now) | given
        claims = {name: value for name, value in merged.items() if value is not None}
        key_id = f"development-{algorithm}"
        return jwt.encode(claims, self.keys[algorithm], algorithm, headers={"kid": key_id})


class _Handler(BaseHTTPRequestHandler):
    server: "Server"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not self._is_addressed():
            return
        documents = {
            "/": lambda: {"warning": WARNING, "POST /token": "claims as JSON gives a token"},
            "/.well-known/openid-configuration": self.server.issuer.discovery,
            "/.well-known/jwks": self.server.issuer.key_set,
        }
        document = documents.get(self.path)
        if document is None:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})
        else:
            self._answer(HTTPStatus.OK, document())

    def do_POST(self) -> None:
        if not self._is_addressed():
            return
        path, _, query = self.path.partition("?")
        algorithm = query.removeprefix("algorithm=") or "RS256"
        claims = self._claims()
        if path != "/token" or algorithm not in self.server.issuer.keys:
            message = f"POST /token?algorithm={'|'.join(self.server.issuer.keys)}"
            self._answer(HTTPStatus.NOT_FOUND, {"error": message})
        elif claims is None:
            message = f"a JSON object of claims, as application/json, up to {LARGEST_REQUEST} bytes"
            self._answer(HTTPStatus.BAD_REQUEST, {"error": message})
        else:
            now = datetime.now(tz=UTC)
            token = self.server.issuer.token(claims, algorithm=algorithm, now=now)
            self._answer(HTTPStatus.OK, {"token": token, "warning": WARNING})

    def _is_addressed(self) -> bool:
        """A page in a browser on this machine is nobody's CI job: no other name, no origin."""
        expected = self.server.issuer.url.removeprefix("http://")
        if self.headers.get("Host") == expected and "Origin" not in self.headers:
            return True
        self.close_connection = True
        self._answer(HTTPStatus.FORBIDDEN, {"error": f"only programs may ask, at {expected}"})
        return False

    def _claims(self) -> dict[str, Any] | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_REQUEST:
            self.close_connection = True
            return None
        body = self.rfile.read(int(length))
        if self.headers.get_content_type() != "application/json":
            return None
        try:
            claims = json.loads(body)
        except ValueError:
            return None
        return claims if isinstance(claims, dict) else None

    def _answer(self, status: HTTPStatus, document: dict[str, Any]) -> None:
        body = json.dumps(document, indent=1).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Listens on loopback; port 0 takes any free one."""

    daemon_threads = True

    def __init__(self, port: int, keys: dict[str, Key]) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.issuer = Issuer(f"http://{LOOPBACK}:{self.server_port}", keys)


def load_keys(folder: Path) -> dict[str, Key]:
    """The issuer's keys, made at the first start."""
    return {
        "RS256": _key(folder / "rs256.pem", "RS256"),
        "ES256": _key(folder / "es256.pem", "ES256"),
    }


def _key(path: Path, algorithm: str) -> Key:
    if not path.exists():
        made: Key = (
            rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
            if algorithm == "RS256"
            else ec.generate_private_key(ec.SECP256R1())
        )
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(path, pem.decode())
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise TypeError(f"{path} is not a key of the development issuer")
    return key


def _public(algorithm: str, key: Key) -> dict[str, str]:
    common = {"kid": f"development-{algorithm}", "alg": algorithm, "use": "sig"}
    numbers = key.public_key().public_numbers()
    if isinstance(numbers, rsa.RSAPublicNumbers):
        return {**common, "kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
    point = {"x": _number(numbers.x, 32), "y": _number(numbers.y, 32)}
    return {**common, "kty": "EC", "crv": "P-256", **point}


def _number(value: int, length: int = 0) -> str:
    size = length or (value.bit_length() + 7) // 8
    return base64.urlsafe_b64encode(value.to_bytes(size, "big")).rstrip(b"=").decode()


def main(arguments: list[str]) -> None:
    """Serve until asked to stop."""
    parser = argparse.ArgumentParser(description=WARNING)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--keys", type=Path, required=True)
    options = parser.parse_args(arguments)
    with Server(options.port, load_keys(options.keys)) as server:
        sys.stderr.write(f"{WARNING}. It listens on {server.issuer.url}\n")
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
