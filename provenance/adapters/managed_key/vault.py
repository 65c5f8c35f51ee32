"""Keys of the transit engine of Vault or OpenBao: `vault:MOUNT/KEY/VERSION`.

The version belongs to the URI: it is another key. The address is in VAULT_ADDR, the token in
the key's secret file or in VAULT_TOKEN, as with Vault's own tools.
"""

import base64
from typing import Any, Final

import hvac
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from provenance.adapters.managed_key.opened_key import OpenedKey, Secret
from provenance.adapters.signing_algorithms import (
    PublicKey,
    UnsupportedKey,
    algorithm_of,
    load_spki,
    spki_of,
)
from provenance.domain.signing_keys import Algorithm
from provenance.errors import SignerUnavailable

TIMEOUT_SECONDS: Final = 10
_HASHES: Final = {Algorithm.ECDSA_P384: "sha2-384"}


def open_transit_key(rest: str, secret: Secret) -> OpenedKey:
    """Read the public half; nothing is signed yet.

    Raises:
        SignerUnavailable: the URI or the answer names no such key or version.
        UnsupportedKey: it is of another type.
        VaultError: what Vault says instead, as hvac has it.
    """
    mount, name, version = _parts(rest)
    client = hvac.Client(timeout=TIMEOUT_SECONDS)
    if secret.file is not None or not client.token:
        client.token = secret.read()
    transit = client.secrets.transit
    data: dict[str, Any] = transit.read_key(name, mount_point=mount)["data"]
    if not data.get("supports_signing"):
        raise UnsupportedKey(f"a transit key of type {data.get('type')}, which signs nothing")
    held = data["keys"].get(str(version))
    if held is None:
        raise SignerUnavailable(
            reason="no-such-key-version",
            mount=mount,
            key=name,
            found=f"version {version}",
            expected=f"one of {', '.join(data['keys'])}",
        )
    public = _public(held["public_key"])

    def sign(message: bytes) -> bytes:
        answer = transit.sign_data(
            name,
            hash_input=base64.b64encode(message).decode(),
            key_version=version,
            hash_algorithm=_HASHES.get(algorithm_of(public), "sha2-256"),
            signature_algorithm="pkcs1v15",
            marshaling_algorithm="asn1",
            mount_point=mount,
        )
        return base64.b64decode(answer["data"]["signature"].split(":")[2])

    return OpenedKey(public, sign, f"Vault at {client.url}, mount {mount}, {name} v{version}")


def _parts(rest: str) -> tuple[str, str, int]:
    match rest.strip("/").split("/"):
        case [*mount, name, version] if mount and version.isascii() and version.isdigit():
            return "/".join(mount), name, int(version)
        case _:
            raise SignerUnavailable(
                reason="malformed-key-uri",
                found=f"vault:{rest}",
                expected="vault:MOUNT/KEY/VERSION",
            )


def _public(text: str) -> PublicKey:
    """PEM, or the bare bytes of an Ed25519 key."""
    if text.startswith("-----"):
        key = load_pem_public_key(text.encode())
    else:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(text))
    algorithm_of(key)
    return load_spki(spki_of(key))  # type: ignore[arg-type]  # just looked at
