"""The embedded signer's trust root: the public halves of its keys, as Sigstore writes them."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from provenance.adapters.embedded.generations import INTERMEDIATE, ROOT, key_name
from provenance.domain.trust_document import SIGSTORE_MEDIA_TYPE, empty_trusted_root
from provenance.errors import TrustRootMissing
from provenance.models import SealedKey, SignerGeneration, TreeKind


def trusted_root() -> bytes:
    """The Sigstore TrustedRoot of every generation: announced, used, and ended up to its end.

    One that ended before it began is left out. Made from public rows alone, without the
    key-encryption key. Equal rows give equal bytes.

    Raises:
        TrustRootMissing: no keys have been created yet.
    """
    generations = SignerGeneration.objects.order_by("number")
    believed = [one for one in generations if not _ended_before_it_began(one)]
    if not believed:
        raise TrustRootMissing
    keys = SealedKey.objects.in_bulk()
    document = {
        "mediaType": SIGSTORE_MEDIA_TYPE,
        "certificateAuthorities": [_authority(one, keys) for one in believed],
        "ctlogs": [
            _log(one, keys[key_name(TreeKind.CERTIFICATES, one.number)]) for one in believed
        ],
        "tlogs": [_log(one, keys[key_name(TreeKind.STATEMENTS, one.number)]) for one in believed],
        "timestampAuthorities": [],
    }
    return json.dumps(document, indent=2, sort_keys=True).encode()


def embedded_root_if_any() -> bytes:
    """The same, or an empty one where the embedded signer was never used."""
    try:
        return trusted_root()
    except TrustRootMissing:
        return empty_trusted_root()


def _ended_before_it_began(one: SignerGeneration) -> bool:
    return one.believed_until is not None and one.believed_until < one.believed_from


def _authority(one: SignerGeneration, keys: dict[str, SealedKey]) -> dict[str, Any]:
    chain = [keys[key_name(kind, one.number)] for kind in (INTERMEDIATE, ROOT)]
    return {
        "subject": {"organization": one.base_url, "commonName": f"Strongroom root {one.number}"},
        "uri": one.base_url,
        "certChain": {
            "certificates": [{"rawBytes": _base64(bytes(key.certificate or b""))} for key in chain]
        },
        "validFor": _valid_for(one.believed_from, one.believed_until),
    }


def _log(one: SignerGeneration, key: SealedKey) -> dict[str, Any]:
    spki = bytes(key.public)
    return {
        # cosign and sigstore-go look for this address's host in the checkpoint's signature.
        "baseUrl": one.base_url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _base64(spki),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": _valid_for(one.believed_from, one.believed_until),
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
