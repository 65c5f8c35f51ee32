"""What a Rekor v2 log is given about a managed key's envelope, and what its entry must then say.

Sources: rekor-v2-spec, section 6.1.4; protobuf-specs, `rekor/v2/hashedrekord.proto`. The log takes
no other kind of entry, so that a key which signs without a digest cannot be logged.
"""

import base64
import json
from typing import Any, Final

from sigstore.dsse import Envelope
from sigstore_models.rekor import v2 as rekor

from provenance.adapters.signing_algorithms import PREHASH
from provenance.domain.signing_keys import SigningKey

KIND: Final = ("hashedrekord", "0.0.2")


def proposal(envelope: Envelope, key: SigningKey) -> dict[str, Any]:
    """The request to `/api/v2/log/entries`; the key's algorithm is one of PREHASH."""
    _name, prehash = PREHASH[key.algorithm]
    digest = _base64(prehash(envelope.pae()).digest())
    return {"hashedRekordRequestV002": {"digest": digest, "signature": _signature(envelope, key)}}


def expected_body(envelope: Envelope, key: SigningKey) -> rekor.entry.Entry:
    """The one body that an entry about this envelope by this key has.

    Raises:
        KeyError: the key's algorithm is none of PREHASH.
    """
    name, prehash = PREHASH[key.algorithm]
    digest = _base64(prehash(envelope.pae()).digest())
    content = {
        "data": {"algorithm": name, "digest": digest},
        "signature": _signature(envelope, key),
    }
    kind, version = KIND
    document = {"kind": kind, "apiVersion": version, "spec": {"hashedRekordV002": content}}
    return rekor.entry.Entry.from_json(json.dumps(document))


def _signature(envelope: Envelope, key: SigningKey) -> dict[str, Any]:
    verifier = {"publicKey": {"rawBytes": _base64(key.spki)}, "keyDetails": key.algorithm.value}
    return {"content": _base64(envelope.signature), "verifier": verifier}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
