"""The embedded signer's trust root: the public halves of its keys, as Sigstore writes them."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from provenance.adapters.embedded.generations import INTERMEDIATE, ROOT
from provenance.domain.trust_document import SIGSTORE_MEDIA_TYPE, empty_trusted_root
from provenance.errors import TrustRootMissing
from provenance.models import LogTree, SealedKey, TreeKind


def trusted_root() -> bytes:
    """The Sigstore TrustedRoot of every generation, retired ones up to their end.

    Made from public rows alone, without the key-encryption key. Equal rows give equal bytes.

    Raises:
        TrustRootMissing: no keys have been created yet.
    """
    keys = SealedKey.objects.in_bulk()
    trees = list(LogTree.objects.order_by("started_at", "name"))
    if ROOT not in keys or INTERMEDIATE not in keys or not trees:
        raise TrustRootMissing
    document = {
        "mediaType": SIGSTORE_MEDIA_TYPE,
        "certificateAuthorities": [_authority(keys, uri=trees[0].base_url)],
        "ctlogs": [_log(tree, keys) for tree in trees if tree.kind == TreeKind.CERTIFICATES],
        "tlogs": [_log(tree, keys) for tree in trees if tree.kind == TreeKind.STATEMENTS],
        "timestampAuthorities": [],
    }
    return json.dumps(document, indent=2, sort_keys=True).encode()


def embedded_root_if_any() -> bytes:
    """The same, or an empty one where the embedded signer was never used."""
    try:
        return trusted_root()
    except TrustRootMissing:
        return empty_trusted_root()


def _authority(keys: dict[str, SealedKey], *, uri: str) -> dict[str, Any]:
    chain = [keys[INTERMEDIATE], keys[ROOT]]
    return {
        "subject": {"organization": uri, "commonName": "Strongroom root"},
        "uri": uri,
        "certChain": {
            "certificates": [{"rawBytes": _base64(bytes(key.certificate or b""))} for key in chain]
        },
        "validFor": _valid_for(keys[INTERMEDIATE].created_at, None),
    }


def _log(tree: LogTree, keys: dict[str, SealedKey]) -> dict[str, Any]:
    spki = bytes(keys[tree.name].public)
    return {
        # cosign and sigstore-go look for this address's host in the checkpoint's signature.
        "baseUrl": tree.base_url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _base64(spki),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": _valid_for(tree.started_at, tree.retired_at),
        },
        "logId": {"keyId": _base64(hashlib.sha256(spki).digest())},
    }


def _valid_for(start: datetime, end: datetime | None) -> dict[str, str]:
    """Whole seconds, as the certificates and entries themselves have them."""
    moments = {"start": start, "end": end}
    return {
        name: moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for name, moment in moments.items()
        if moment is not None
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
