"""Identity tokens as GitHub's issuer signs them, and as forgers would like to have signed them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from access.domain.identity_token import PublicKey

AUDIENCE: Final = "http://store.test"
NOW: Final = datetime(2026, 11, 21, 8, 0, 0, tzinfo=UTC)
COMMIT: Final = "1f" * 20
WORKFLOW_REF: Final = "acme/widget/.github/workflows/release.yml@refs/heads/main"
ISSUER: Final = "https://token.actions.githubusercontent.com"
GITLAB: Final = "https://gitlab.com"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(_name: str = "first") -> rsa.RSAPrivateKey:
    """A real RSA key for each name, made once in a run of tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key(_name: str = "first") -> ec.EllipticCurvePrivateKey:
    """A real P-256 key for each name."""
    return ec.generate_private_key(ec.SECP256R1())


def public_key(key: PrivateKey, key_id: str = "key-1") -> PublicKey:
    """The key as a KeySource gives it."""
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    return PublicKey(key_id, algorithm, key.public_key())


def claims(now: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """The claims of acme/widget's release job; a change to None takes the claim away."""
    issued = int(now.timestamp())
    whole = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "repo:acme/widget:ref:refs/heads/main",
        "jti": "6f4a2c1e-0000-4000-8000-000000000001",
        "iat": issued,
        "nbf": issued - 600,
        "exp": issued + 300,
        "repository": "acme/widget",
        "repository_id": "4242",
        "repository_owner": "acme",
        "repository_owner_id": "77",
        "repository_visibility": "private",
        "event_name": "push",
        "ref": "refs/heads/main",
        "ref_type": "branch",
        "ref_protected": "true",
        "sha": COMMIT,
        "workflow": "Release",
        "workflow_ref": WORKFLOW_REF,
        "workflow_sha": COMMIT,
        "job_workflow_ref": WORKFLOW_REF,
        "job_workflow_sha": COMMIT,
        "run_id": "9000000001",
        "run_number": "12",
        "run_attempt": "1",
        "check_run_id": "31337",
        "runner_environment": "github-hosted",
        "actor": "octocat",
        "head_ref": "",
        "base_ref": "",
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def gitlab_claims(now: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """The claims of acme/tools/widget's release job on GitLab 18.4 or later."""
    issued = int(now.timestamp())
    issuer = changes.get("iss", GITLAB)
    host = str(issuer).partition("://")[2]
    whole = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": "project_path:acme/tools/widget:ref_type:branch:ref:main",
        "jti": "6f4a2c1e-0000-4000-8000-000000000002",
        "iat": issued,
        "nbf": issued - 5,
        "exp": issued + 3600,
        "namespace_id": "77",
        "namespace_path": "acme/tools",
        "project_id": "4242",
        "project_path": "acme/tools/widget",
        "project_visibility": "private",
        "job_project_id": "4242",
        "job_project_path": "acme/tools/widget",
        "job_namespace_id": "77",
        "job_namespace_path": "acme/tools",
        "user_id": "1",
        "user_login": "octocat",
        "user_email": "octocat@acme.test",
        "user_access_level": "developer",
        "pipeline_id": "9000000001",
        "pipeline_source": "push",
        "job_id": "31337",
        "ref": "main",
        "ref_type": "branch",
        "ref_path": "refs/heads/main",
        "ref_protected": "true",
        "runner_id": 1,
        "runner_environment": "gitlab-hosted",
        "sha": COMMIT,
        "ci_config_ref_uri": f"{host}/acme/tools/widget//.gitlab-ci.yml@refs/heads/main",
        "ci_config_sha": COMMIT,
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def signed(
    members: Mapping[str, Any] | str,
    key: PrivateKey | None = None,
    **header: Any,
) -> str:
    """A token over these claims (or this very JSON text); `header` changes the header."""
    key = key or rsa_key()
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    head = {"typ": "JWT", "alg": algorithm, "kid": "key-1", **header}
    body = _signing_input(head, members)
    return f"{body}.{b64(signature_of(key, body.encode()))}"


def unsigned(members: Mapping[str, Any], **header: Any) -> str:
    """The classic forgery: `alg` none and an empty signature."""
    return _signing_input({"typ": "JWT", "alg": "none", "kid": "key-1", **header}, members) + "."


def hmac_signed(members: Mapping[str, Any], secret: bytes) -> str:
    """The other classic: HS256 with what everybody knows, the public key, as the secret."""
    body = _signing_input({"typ": "JWT", "alg": "HS256", "kid": "key-1"}, members)
    return f"{body}.{b64(hmac.new(secret, body.encode(), hashlib.sha256).digest())}"


def jwk(key: PrivateKey, key_id: str = "key-1", **changes: Any) -> dict[str, Any]:
    """The public key as an issuer publishes it."""
    numbers = key.public_key().public_numbers()
    shape: dict[str, Any]
    if isinstance(numbers, rsa.RSAPublicNumbers):
        shape = {"kty": "RSA", "alg": "RS256", "n": _uint(numbers.n), "e": _uint(numbers.e)}
    else:
        shape = {
            "kty": "EC",
            "alg": "ES256",
            "crv": "P-256",
            "x": b64(numbers.x.to_bytes(32, "big")),
            "y": b64(numbers.y.to_bytes(32, "big")),
        }
    return {**shape, "kid": key_id, "use": "sig", **changes}


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _uint(number: int) -> str:
    return b64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _signing_input(header: Mapping[str, Any], members: Mapping[str, Any] | str) -> str:
    payload = members if isinstance(members, str) else json.dumps(members)
    return f"{b64(json.dumps(header).encode())}.{b64(payload.encode())}"


def signature_of(key: PrivateKey, data: bytes) -> bytes:
    """The signature as a JWS holds it: of ECDSA the two numbers, not their DER."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
