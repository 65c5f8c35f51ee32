"""The instance's secrets: made once, kept in files that only this user may read."""

import base64
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded.postgres import Passwords


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the parts prove themselves to each other with; never printed."""

    secret_key: str = field(repr=False)
    database: Passwords = field(repr=False)
    broker: str = field(repr=False)
    attestor_key_file: Path


def load_credentials(folder: Path) -> Credentials:
    """Read the secrets, making those that are not there; a repeat gives the same ones."""

    def once(name: str, make: Callable[[], str] = lambda: secrets.token_hex(24)) -> str:
        return _read_or_make(folder / name, make)

    once("attestor.key", lambda: base64.b64encode(secrets.token_bytes(32)).decode())
    return Credentials(
        secret_key=once("secret-key", lambda: secrets.token_urlsafe(64)),
        database=Passwords(
            superuser=once("database-superuser"),
            migrator=once("database-migrator"),
            runtime=once("database-runtime"),
        ),
        broker=once("broker"),
        attestor_key_file=folder / "attestor.key",
    )


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user may read: whole or not at all, also after a crash."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_or_make(path: Path, make: Callable[[], str]) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        write_private(path, make())
        return path.read_text()
