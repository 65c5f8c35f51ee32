"""Forgeries for the demonstration: what a forger without the attestor's key can do to a bundle."""

import base64
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance.domain.statement import PAYLOAD_TYPE

COMMIT = "f" * 40


def another_byte(artifact: Path, copy: Path) -> None:
    """Copy the file with its last byte changed; an empty one gets a byte."""
    shutil.copyfile(artifact, copy)
    with copy.open("r+b") as forged:
        size_bytes = forged.seek(0, os.SEEK_END)
        last = b"\0"
        if size_bytes:
            forged.seek(-1, os.SEEK_END)
            last = forged.read(1)
            forged.seek(-1, os.SEEK_END)
        forged.write(bytes([last[0] ^ 1]))


def another_statement(bundle: bytes) -> bytes:
    """Say that the same files come from another commit."""
    document = json.loads(bundle)
    envelope = document["dsseEnvelope"]
    statement = json.loads(base64.b64decode(envelope["payload"]))
    for dependency in statement["predicate"]["buildDefinition"]["resolvedDependencies"]:
        dependency["digest"]["gitCommit"] = COMMIT
    envelope["payload"] = _base64(json.dumps(statement).encode())
    return json.dumps(document).encode()


def another_identity(bundle: bytes) -> bytes:
    """Sign the unchanged statement with a key of one's own, under the builder's name."""
    document: dict[str, Any] = json.loads(bundle)
    key = ec.generate_private_key(ec.SECP256R1())
    material = document["verificationMaterial"]
    genuine = x509.load_der_x509_certificate(base64.b64decode(material["certificate"]["rawBytes"]))
    material["certificate"]["rawBytes"] = _base64(
        _self_signed_like(genuine, key).public_bytes(Encoding.DER)
    )
    envelope = document["dsseEnvelope"]
    payload = base64.b64decode(envelope["payload"])
    signature = key.sign(_pae(payload), ec.ECDSA(hashes.SHA256()))
    envelope["signatures"] = [{"sig": _base64(signature)}]
    return json.dumps(document).encode()


def _self_signed_like(
    genuine: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """A certificate that says everything the genuine one says, except who vouches for it."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(genuine.subject)
        .issuer_name(genuine.issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(minutes=5))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
    )
    copied = (
        extension
        for extension in genuine.extensions
        if extension.oid != ExtendedKeyUsageOID.CODE_SIGNING
        and not isinstance(extension.value, x509.ExtendedKeyUsage)
    )
    for extension in copied:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    return builder.sign(key, hashes.SHA256())


def _pae(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding (DSSE v1, protocol.md)."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
