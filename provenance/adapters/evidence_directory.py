"""Copies of evidence in a folder: files named by the digest of what is in them."""

import hashlib
import os
from pathlib import Path
from typing import Final

from provenance.errors import EvidenceNotSaved

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


class EvidenceDirectory:
    """A folder with `bundles/<two digits>/<sha256>.sigstore.json` and `manifests/<sha256>.jsonl`.

    Each file is complete under its name or not there; only its owner may read it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: set[Path] = set()

    def save(self, bundle: bytes) -> str:
        """See the port."""
        digest = hashlib.sha256(bundle).hexdigest()
        name = f"bundles/{digest[:2]}/{digest}.sigstore.json"
        self._write(self._folder / name, bundle)
        return name

    def finish(self, manifest: bytes) -> None:
        """See the port."""
        digest = hashlib.sha256(manifest).hexdigest()
        self._keep_names()
        self._write(self._folder / f"manifests/{digest}.jsonl", manifest)
        self._keep_names()

    def _write(self, file: Path, data: bytes) -> None:
        """Anew each time: what a kill has left under the name may have lost its bytes."""
        unfinished = file.with_name(f".{file.name}")
        try:
            for folder in (self._folder, file.parent.parent, file.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
            with os.fdopen(os.open(unfinished, _NEW, mode=0o600), "wb") as opened:
                opened.write(data)
                opened.flush()
                os.fsync(opened.fileno())
            unfinished.replace(file)
        except OSError as error:
            raise EvidenceNotSaved(file=str(file), reason=error.strerror) from error
        self._written |= {self._folder.parent, self._folder, file.parent.parent, file.parent}

    def _keep_names(self) -> None:
        """A file's name is durable when its folder is."""
        for folder in sorted(self._written):
            try:
                opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    os.fsync(opened)
                finally:
                    os.close(opened)
            except OSError as error:
                raise EvidenceNotSaved(file=str(folder), reason=error.strerror) from error
        self._written.clear()
