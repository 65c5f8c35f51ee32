"""What a Rekor v2 log is given about a managed key's envelope, and what its entry must then say.

Sources: rekor-v2-spec, section 6.1.4; protobuf-specs, `rekor/v2/{hashedrekord,dsse}.proto`.
"""

import base64
import hashlib
import json
from typing import Any, Final

from sigstore.dsse import Envelope
from sigstore_models.rekor import v2 as rekor

from provenance.adapters.signing_algorithms import PREHASH
from provenance.domain.signing_keys import Algorithm, SigningKey

HASHEDREKORD: Final = ("hashedrekord", "0.0.2")
DSSE: Final = ("dsse", "0.0.2")


def kind_of(algorithm: Algorithm) -> tuple[str, str]:
    """Kind and version of the entry: a digest of what is signed, where the algorithm takes one."""
    return HASHEDREKORD if algorithm in PREHASH else DSSE


def proposal(envelope: Envelope, key: SigningKey) -> dict[str, Any]:
    """The request to `/api/v2/log/entries`."""
    if kind_of(key.algorithm) == DSSE:
        request = {"envelope": envelope._inner.to_dict(), "verifiers": [_verifier(key)]}  # noqa: SLF001 - the model that it wraps
        return {"dsseRequestV002": request}
    _name, prehash = PREHASH[key.algorithm]
    return {
        "hashedRekordRequestV002": {
            "digest": _base64(prehash(envelope.pae()).digest()),
            "signature": _signature(envelope, key),
        }
    }


def expected_body(envelope: Envelope, key: SigningKey) -> rekor.entry.Entry:
    """The one body that an entry about this envelope by this key has."""
    kind, version = kind_of(key.algorithm)
    if (kind, version) == DSSE:
        payload = hashlib.sha256(envelope._inner.payload).digest()  # noqa: SLF001 - the model that it wraps
        member = "dsseV002"
        spec: dict[str, Any] = {
            "payloadHash": {"algorithm": "SHA2_256", "digest": _base64(payload)},
            "signatures": [_signature(envelope, key)],
        }
    else:
        name, prehash = PREHASH[key.algorithm]
        member = "hashedRekordV002"
        spec = {
            "data": {"algorithm": name, "digest": _base64(prehash(envelope.pae()).digest())},
            "signature": _signature(envelope, key),
        }
    document = {"kind": kind, "apiVersion": version, "spec": {member: spec}}
    return rekor.entry.Entry.from_json(json.dumps(document))


def _signature(envelope: Envelope, key: SigningKey) -> dict[str, Any]:
    return {"content": _base64(envelope.signature), "verifier": _verifier(key)}


def _verifier(key: SigningKey) -> dict[str, Any]:
    return {"publicKey": {"rawBytes": _base64(key.spki)}, "keyDetails": key.algorithm.value}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
