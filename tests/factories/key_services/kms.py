"""AWS KMS as it answers over HTTP (JSON 1.1): GetPublicKey, Sign, and its documented exceptions."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.factories.private_sigstore.serving import Answer, Request, serving

ALGORITHMS = {
    "secp256r1": ["ECDSA_SHA_256"],
    "secp384r1": ["ECDSA_SHA_384"],
    "rsa": ["RSASSA_PSS_SHA_256", "RSASSA_PKCS1_V1_5_SHA_256"],
}


@dataclass
class Kms:
    """One key under one id. `refuses` says which call is answered by which exception."""

    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    key_id: str = "alias/attestor"
    refuses: tuple[str, str, str] = ("", "", "")

    def answer(self, request: Request) -> Answer:
        operation = request.headers["X-Amz-Target"].removeprefix("TrentService.")
        asked = json.loads(request.body)
        refused, exception, message = self.refuses
        if operation == refused:
            return failed(exception, message)
        if asked["KeyId"] != self.key_id:
            return failed("NotFoundException", f"Alias {asked['KeyId']} is not found.")
        return Answer.json(self._public() if operation == "GetPublicKey" else self._sign(asked))

    def _public(self) -> dict[str, Any]:
        der = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        kind = self.key.curve.name if isinstance(self.key, ec.EllipticCurvePrivateKey) else "rsa"
        return {
            "KeyId": self.key_id,
            "PublicKey": base64.b64encode(der).decode(),
            "SigningAlgorithms": ALGORITHMS[kind],
            "KeyUsage": "SIGN_VERIFY",
        }

    def _sign(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["MessageType"] == "DIGEST"
        digest = base64.b64decode(asked["Message"])
        algorithm = Prehashed(hashes.SHA384() if len(digest) == 48 else hashes.SHA256())
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            signature = self.key.sign(digest, ec.ECDSA(algorithm))
        else:
            assert asked["SigningAlgorithm"] == "RSASSA_PKCS1_V1_5_SHA_256"
            signature = self.key.sign(digest, padding.PKCS1v15(), algorithm)
        return {"KeyId": self.key_id, "Signature": base64.b64encode(signature).decode()}


def failed(exception: str, message: str) -> Answer:
    return Answer.json({"__type": exception, "message": message}, status=400)


@contextmanager
def running_kms(kms: Kms) -> Iterator[str]:
    """Its address, for AWS_ENDPOINT_URL_KMS."""
    with serving(kms.answer) as address:
        yield address
