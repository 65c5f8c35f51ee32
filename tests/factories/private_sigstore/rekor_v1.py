"""A double of Rekor v1's HTTP API, with a real tree, proofs, checkpoint and promise.

A real one needs Trillian and MySQL. Shaped after its OpenAPI document (`POST /api/v1/log/entries`)
and what public entries look like: the entry's index counts over all shards of the log, the proof's
index in its own; who proposes what is not signed by its certificate is refused, as is a repeat.
"""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from provenance.adapters.embedded.keys import SigningKey
from provenance.adapters.embedded.wire import checkpoint, statement_entry
from provenance.domain import merkle
from provenance.domain.merkle import Place
from tests.factories.private_sigstore.instance import Instance
from tests.factories.private_sigstore.serving import Answer, Request, serving

HOST: Final = "rekor-v1.sigstore.test"
TREE: Final = 1193050959916656506
EARLIER_SHARDS: Final = 4163431


@dataclass
class RekorV1:
    """One shard, kept in memory."""

    key: SigningKey = field(default_factory=SigningKey.generate)
    nodes: dict[Place, bytes] = field(default_factory=dict)
    entries: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Answer:
        if request.path != "/api/v1/log/entries":
            return _error(404, f"path {request.path} was not found")
        try:
            proposed = json.loads(request.body)
            _check(proposed)
            body = statement_entry(proposed)
        except (ValueError, KeyError, TypeError, InvalidSignature) as error:
            return _error(400, f"error processing entry: {error!r}")
        with self.lock:
            if body in self.entries:
                return _error(409, "an equivalent entry already exists in the transparency log")
            return Answer.json(self._enter(body), 201)

    def _enter(self, body: bytes) -> dict[str, Any]:
        index, leaf = len(self.entries), merkle.leaf_hash(body)
        self.nodes |= merkle.appended(index, [leaf], self.nodes)
        self.entries.append(body)
        size = index + 1
        root = merkle.root(size, self.nodes.__getitem__)
        promised: dict[str, Any] = {
            "body": base64.b64encode(body).decode(),
            "integratedTime": int(time.time()),
            "logID": self.key.log_id.hex(),
            "logIndex": EARLIER_SHARDS + index,
        }
        signature = self.key.sign(rfc8785.dumps(promised))
        proof = {
            "checkpoint": checkpoint(f"{HOST} - {TREE}", size, root, key=self.key),
            "hashes": [
                one.hex() for one in merkle.inclusion_proof(index, size, self.nodes.__getitem__)
            ],
            "logIndex": index,
            "rootHash": root.hex(),
            "treeSize": size,
        }
        promise = base64.b64encode(signature).decode()
        verification = {"inclusionProof": proof, "signedEntryTimestamp": promise}
        return {f"{TREE:016x}{leaf.hex()}": {**promised, "verification": verification}}


def _check(proposed: dict[str, Any]) -> None:
    """What Rekor checks of a `dsse/0.0.1`: every signature, against the certificate beside it."""
    if (proposed["kind"], proposed["apiVersion"]) != ("dsse", "0.0.1"):
        raise ValueError("unknown kind of entry")
    content = proposed["spec"]["proposedContent"]
    envelope = json.loads(content["envelope"])
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    certificate = x509.load_pem_x509_certificate(base64.b64decode(content["verifiers"][0]))
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("unknown kind of key")
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    key.verify(signature, pae, ec.ECDSA(hashes.SHA256()))


def _error(status: int, message: str) -> Answer:
    return Answer.json({"code": status, "message": message}, status)


@contextmanager
def running_rekor_v1() -> Iterator[tuple[RekorV1, str]]:
    """The log, and its address."""
    log = RekorV1()
    with serving(log.answer) as url:
        yield log, url


def described_with(
    instance: Instance, log: RekorV1, url: str, folder: Path, *, with_time: bool = False
) -> tuple[Path, Path]:
    """The instance's trusted root and signing config with this log in the place of its own.

    Without a timestamp authority, unless it is wanted.
    """
    root = json.loads(instance.trusted_root.read_bytes())
    config = json.loads(instance.signing_config.read_bytes())
    root["tlogs"] = [
        {
            "baseUrl": f"https://{HOST}",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": base64.b64encode(log.key.spki).decode(),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": root["ctlogs"][0]["publicKey"]["validFor"],
            },
            "logId": {"keyId": base64.b64encode(hashlib.sha256(log.key.spki).digest()).decode()},
        }
    ]
    config["rekorTlogUrls"][0] |= {"url": url, "majorApiVersion": 1}
    if not with_time:
        config["tsaUrls"] = []
    files = folder / "v1_trusted_root.json", folder / "v1_signing_config.json"
    for file, document in zip(files, (root, config), strict=True):
        file.write_text(json.dumps(document))
    return files
