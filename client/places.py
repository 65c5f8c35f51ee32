"""What the client keeps on a person's machine: one folder a store, readable by nobody else."""

import hashlib
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from client.errors import SettingsMissing
from client.origin import Origin

_OUTSIDE: Final = re.compile(r"[^A-Za-z0-9.-]+")


def config_folder(environ: Mapping[str, str]) -> Path:
    """The client's own folder: STRONGROOM_CONFIG_HOME, else where XDG says.

    Raises:
        SettingsMissing: the environment names no home.
    """
    own = environ.get("STRONGROOM_CONFIG_HOME")
    if own:
        return Path(own)
    base = environ.get("XDG_CONFIG_HOME")
    if base and Path(base).is_absolute():
        return Path(base) / "strongroom"
    home = environ.get("HOME")
    if not home:
        raise SettingsMissing(missing="HOME, XDG_CONFIG_HOME or STRONGROOM_CONFIG_HOME")
    return Path(home) / ".config" / "strongroom"


def store_folder(environ: Mapping[str, str], origin: Origin) -> Path:
    """What is kept about one store; its name ends with a digest, so that no two share it."""
    shown = _OUTSIDE.sub("_", origin.url.partition("://")[2])[:80]
    told_apart = hashlib.sha256(origin.url.encode()).hexdigest()[:8]
    return config_folder(environ) / "stores" / f"{shown}-{told_apart}"


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    _make_private(file.parent)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        beside.replace(file)
    except BaseException:
        with suppress(FileNotFoundError):
            beside.unlink()
        raise


def _make_private(folder: Path) -> None:
    """Make what is missing of a folder and those above it; XDG asks for the same mode."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
