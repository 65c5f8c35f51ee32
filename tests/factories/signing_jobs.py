"""Statements to sign and the keys to do it with."""

import base64
import hashlib
import os
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from kernel.digest import Sha256
from provenance.adapters.embedded.generations import create_keys
from provenance.adapters.embedded.keys import KeyEncryptionKey
from provenance.domain.statement import Statement, Subject, encode
from provenance.ports import SigningJob

STORE = "http://store.test"
IDENTITY = f"{STORE}/builders/github/hosted-unconfirmed/v1"


def key_file(folder: Path, name: str = "attestor-key") -> Path:
    """A new key-encryption key in a file."""
    file = folder / name
    file.write_bytes(base64.b64encode(os.urandom(32)) + b"\n")
    return file


def created_keys(folder: Path, *, base_url: str = STORE, now: datetime | None = None) -> Path:
    """The file of a key-encryption key that the store's keys now lie under."""
    file = key_file(folder)
    create_keys(KeyEncryptionKey.read(file), base_url=base_url, now=now or timezone.now())
    return file


def statement(artifact: bytes) -> bytes:
    digest = Sha256.of(hashlib.sha256(artifact).digest())
    subject = Subject("dist/widget.tar.gz", digest)
    predicate = {"buildDefinition": {}, "runDetails": {"builder": {"id": IDENTITY}}}
    return encode(Statement((subject,), "https://slsa.dev/provenance/v1", predicate))


def job(number: int = 0, *, identity: str = IDENTITY) -> SigningJob:
    claims = {12: "https://github.com/acme/widget", 13: "a" * 40, 22: ""}
    return SigningJob(statement(b"artifact %d" % number), identity, claims)
