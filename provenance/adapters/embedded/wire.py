"""What the two logs write and sign, byte for byte: SCTs, entries, checkpoints, promises.

Sources: RFC 6962 sections 3.2 and 3.4; Rekor v1's `dsse/0.0.1` entry and signed entry timestamp;
the checkpoint format of transparency-dev (a signed note).
"""

import base64
import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import rfc8785

from provenance.adapters.embedded.keys import SigningKey

_V1: Final = 0
_TIMESTAMPED_ENTRY: Final = 0  # the same byte as certificate_timestamp(0) in what an SCT signs
_PRECERT_ENTRY: Final = 1
_SHA256_ECDSA: Final = b"\x04\x03"


def certificate_leaf(tbs: bytes, *, issuer_spki: bytes, now: datetime) -> bytes:
    """The CT log's MerkleTreeLeaf for a precertificate; an SCT signs these very bytes."""
    return (
        struct.pack("!BBQH", _V1, _TIMESTAMPED_ENTRY, _milliseconds(now), _PRECERT_ENTRY)
        + hashlib.sha256(issuer_spki).digest()
        + struct.pack("!I", len(tbs))[1:]
        + tbs
        + struct.pack("!H", 0)  # no CT extensions
    )


def sct_list(leaf: bytes, *, key: SigningKey, now: datetime) -> bytes:
    """A SignedCertificateTimestampList of one SCT for a leaf that is already in the log."""
    signature = key.sign(leaf)
    sct = (
        struct.pack("!B32sQH", _V1, key.log_id, _milliseconds(now), 0)
        + _SHA256_ECDSA
        + _counted(signature)
    )
    return _counted(_counted(sct))


def statement_entry(proposed: Mapping[str, Any]) -> bytes:
    """The canonical `dsse/0.0.1` entry for what the sigstore signer proposes to log.

    It keeps hashes, signature and certificate, never the payload: a log entry may be shown to
    people who may not read the statement.
    """
    content = proposed["spec"]["proposedContent"]
    envelope = json.loads(content["envelope"])
    payload = base64.b64decode(envelope["payload"])
    body: dict[str, Any] = {
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": _hash(content["envelope"].encode()),
            "payloadHash": _hash(payload),
            "signatures": [
                {
                    "signature": envelope["signatures"][0]["sig"],
                    "verifier": content["verifiers"][0],
                }
            ],
        },
    }
    return rfc8785.dumps(body)


def checkpoint(origin: str, size: int, root: bytes, *, key: SigningKey) -> str:
    """A signed note over the tree's size and root.

    The signer's name is the origin's first word: the host of the trust root's `baseUrl`.
    """
    name = origin.split(" ", maxsplit=1)[0]
    text = f"{origin}\n{size}\n{_base64(root)}\n"
    signature = key.log_id[:4] + key.sign(text.encode())
    return f"{text}\n\u2014 {name} {_base64(signature)}\n"


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry in its place, with the audit path to the root that a checkpoint signs."""

    body: bytes
    index: int
    integrated_at: datetime
    size: int
    root: bytes
    audit_path: list[bytes]


def log_entry(logged: Logged, *, checkpoint: str, key: SigningKey) -> dict[str, Any]:
    """A TransparencyLogEntry as bundles spell it: entry, proof, checkpoint and signed promise."""
    integrated_at = int(logged.integrated_at.timestamp())
    promised: dict[str, Any] = {
        "body": _base64(logged.body),
        "integratedTime": integrated_at,
        "logID": key.log_id.hex(),
        "logIndex": logged.index,
    }
    return {
        "logIndex": str(logged.index),
        "logId": {"keyId": _base64(key.log_id)},
        "kindVersion": {"kind": "dsse", "version": "0.0.1"},
        "integratedTime": str(integrated_at),
        "inclusionPromise": {"signedEntryTimestamp": _base64(key.sign(rfc8785.dumps(promised)))},
        "inclusionProof": {
            "logIndex": str(logged.index),
            "rootHash": _base64(logged.root),
            "treeSize": str(logged.size),
            "hashes": [_base64(value) for value in logged.audit_path],
            "checkpoint": {"envelope": checkpoint},
        },
        "canonicalizedBody": _base64(logged.body),
    }


def _milliseconds(moment: datetime) -> int:
    """Whole seconds: verifiers that pass the time through a float must find the same number."""
    return int(moment.timestamp()) * 1000


def _counted(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


def _hash(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
