"""A CI platform's issuer on loopback: a real HTTP server with real keys, or one that misbehaves."""

import ipaddress
import json
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from access.domain.issuers import IssuerAddress
from tests.factories.identity_tokens import PrivateKey, claims, gitlab_claims, jwk, rsa_key, signed

DISCOVERY: Final = "/.well-known/openid-configuration"
JWKS: Final = "/keys"

Answer = Callable[[BaseHTTPRequestHandler], object]


@dataclass(slots=True)
class CiIssuer:
    """What the issuer publishes, who asked, and a way to answer otherwise at an address."""

    url: str
    keys: dict[str, PrivateKey] = field(default_factory=lambda: {"key-1": rsa_key()})
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    # Set when the test ends, so that an answer that waits does not outlive it.
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> IssuerAddress:
        """The issuer as the store's row has it."""
        return IssuerAddress(self.url, is_development=True)

    def discovery(self, **changes: Any) -> dict[str, Any]:
        """The discovery document, with these members different."""
        return {"issuer": self.url, "jwks_uri": f"{self.url}{JWKS}", **changes}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Claims of a job that runs now, each with a token id of its own."""
        fresh = {"iss": self.url, "jti": str(uuid.uuid4())}
        return claims(datetime.now(tz=UTC), **{**fresh, **changes})

    def token(self, **changes: Any) -> str:
        """A good token over those claims."""
        return signed(self.claims(**changes), self.keys["key-1"])

    def gitlab_token(self, **changes: Any) -> str:
        """A good token over the claims of a GitLab job that runs now."""
        fresh = {"iss": self.url, "jti": str(uuid.uuid4())}
        members = gitlab_claims(datetime.now(tz=UTC), **{**fresh, **changes})
        return signed(members, self.keys["key-1"])

    def say(self, address: str, document: object) -> None:
        """From now on answer this document at the address."""
        self.answers[address] = lambda handler: respond(handler, json.dumps(document).encode())


def respond(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **more: str) -> None:
    """A whole, plain answer."""
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    for name, value in more.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def certificate_for(name: str, folder: Path) -> Path:
    """A self-signed certificate for a host name (or address), with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    is_address = name[0].isdigit()
    host = x509.IPAddress(ipaddress.ip_address(name)) if is_address else x509.DNSName(name)
    now = datetime.now(tz=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / f"{name}.pem"
    file.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return file


@contextmanager
def running_issuer(certificate: Path | None = None) -> Iterator[CiIssuer]:
    """Start an issuer on a free port of loopback, over TLS with a certificate; stop it at the end.

    `certificate` is a file of `certificate_for`, with its key.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            special = issuer.answers.get(self.path)
            try:
                special(self) if special else _publish(issuer, self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        # Not at accept: a client that hangs up in the handshake must end its own thread only.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        server.handle_error = lambda *_refused: None  # type: ignore[method-assign] # a client that does not like the certificate hangs up
    issuer = CiIssuer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        issuer.is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _publish(issuer: CiIssuer, handler: BaseHTTPRequestHandler) -> None:
    documents: dict[str, object] = {
        DISCOVERY: issuer.discovery(),
        JWKS: {"keys": [jwk(key, key_id) for key_id, key in issuer.keys.items()]},
    }
    if handler.path in documents:
        respond(handler, json.dumps(documents[handler.path]).encode())
    else:
        respond(handler, b"{}", status=404)
