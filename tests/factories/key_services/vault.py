"""Vault's transit engine as it answers over HTTP: keys, signatures, and its documented refusals.

Statuses and texts are Vault's own (vault/http, sdk/helper/keysutil), as OpenBao still has them.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.factories.private_sigstore.serving import Answer, Request, serving

Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha2-256": hashes.SHA256(),
    "sha2-384": hashes.SHA384(),
}


@dataclass
class Vault:
    """Keys by name, each with its versions; `aes` stands for a key that cannot sign."""

    keys: dict[str, list[Private]]
    mount: str = "transit"
    token: str = "hvs.worker"
    min_version: int = 0
    is_sealed: bool = False
    may_sign: bool = True
    asked: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        self.asked.append(request.path)
        if self.is_sealed:
            return refusal(503, "Vault is sealed")
        if request.headers.get("X-Vault-Token") != self.token:
            return refusal(403, "permission denied")
        match request.path.removeprefix("/v1/").split("/"):
            case [mount, "keys", name] if mount == self.mount:
                return self._read(name)
            case [mount, "sign", name, *algorithm] if mount == self.mount:
                if not self.may_sign:
                    return refusal(403, "1 error occurred:\n\t* permission denied\n\n")
                return self._sign(name, {**json.loads(request.body), "path": algorithm})
            case _:
                route = request.path.removeprefix("/v1/")
                return refusal(404, f'no handler for route "{route}". route entry not found.')

    def _read(self, name: str) -> Answer:
        if name == "aes":
            data = {"type": "aes256-gcm96", "keys": {"1": 1795248000}, "supports_signing": False}
            return Answer.json({"data": data})
        if name not in self.keys:
            return Answer.json({"errors": []}, status=404)
        versions = {
            str(number): {"public_key": public_of(key), "name": "key"}
            for number, key in enumerate(self.keys[name], start=1)
        }
        return Answer.json({"data": {"type": "x", "keys": versions, "supports_signing": True}})

    def _sign(self, name: str, asked: Mapping[str, Any]) -> Answer:
        if name not in self.keys:
            return refusal(400, "signing key not found")
        version = asked["key_version"]
        if version < self.min_version:
            text = "requested version for signing is less than the minimum encryption key version"
            return refusal(400, text)
        name_of_hash = asked["path"][0] if asked["path"] else asked["hash_algorithm"]
        message = base64.b64decode(asked["input"])
        signature = signed(self.keys[name][version - 1], message, HASHES[name_of_hash], asked)
        text = f"vault:v{version}:{base64.b64encode(signature).decode()}"
        return Answer.json({"data": {"signature": text, "key_version": version}})


def signed(
    key: Private, message: bytes, algorithm: hashes.HashAlgorithm, asked: Mapping[str, Any]
) -> bytes:
    match key:
        case ec.EllipticCurvePrivateKey():
            assert asked["marshaling_algorithm"] == "asn1"
            return key.sign(message, ec.ECDSA(algorithm))
        case rsa.RSAPrivateKey():
            assert asked["signature_algorithm"] == "pkcs1v15"
            return key.sign(message, padding.PKCS1v15(), algorithm)
        case _:
            return key.sign(message)


def public_of(key: Private) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(raw).decode()
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def refusal(status: int, text: str) -> Answer:
    return Answer.json({"errors": [text]}, status=status)


@contextmanager
def running_vault(vault: Vault) -> Iterator[str]:
    """Its address, for VAULT_ADDR."""
    with serving(vault.answer) as address:
        yield address
