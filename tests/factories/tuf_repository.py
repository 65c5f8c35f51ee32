"""A TUF repository with real keys, as an operator of a Sigstore instance publishes it."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from securesystemslib.signer._crypto_signer import CryptoSigner
from tuf.api._payload import MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.metadata import Metadata
from tuf.api.serialization.json import JSONSerializer

from tests.factories.private_sigstore.serving import Answer, Request, serving

Described = TypeVar("Described", Targets, Snapshot, Timestamp)
ROLES = ("root", "targets", "snapshot", "timestamp")


def new_keys() -> dict[str, CryptoSigner]:
    return {role: CryptoSigner.generate_ecdsa() for role in ROLES}


@dataclass
class TufRepository:
    """A folder of metadata and targets (consistent snapshots); each publication is a version."""

    folder: Path
    keys: dict[str, CryptoSigner] = field(default_factory=new_keys)
    version: int = 0
    root_version: int = 0

    @property
    def first_root(self) -> Path:
        return self.folder / "1.root.json"

    def start(self, targets: Mapping[str, bytes]) -> None:
        (self.folder / "targets").mkdir(parents=True)
        self._sign_root(self.keys)
        self.publish(targets)

    def publish(self, targets: Mapping[str, bytes], *, expires: datetime | None = None) -> None:
        """The next version of everything below the root; `expires` is the timestamp's end."""
        self.version += 1
        described = Targets(version=self.version, expires=_in(days=90))
        for name, content in targets.items():
            described.targets[name] = TargetFile.from_data(name, content, ["sha256"])
            digest = hashlib.sha256(content).hexdigest()
            (self.folder / "targets" / f"{digest}.{name}").write_bytes(content)
        self._write(described, f"{self.version}.targets.json", "targets")
        snapshot = Snapshot(
            version=self.version,
            expires=_in(days=7),
            meta={"targets.json": MetaFile(version=self.version)},
        )
        self._write(snapshot, f"{self.version}.snapshot.json", "snapshot")
        timestamp = Timestamp(
            version=self.version,
            expires=(expires or _in(days=1)).replace(microsecond=0),
            snapshot_meta=MetaFile(version=self.version),
        )
        self._write(timestamp, "timestamp.json", "timestamp")

    def rotate_keys(self) -> None:
        """The next root names new keys for every role; the old root's key signs it too."""
        old, self.keys = self.keys, new_keys()
        self._sign_root(self.keys, also=old["root"])

    def _sign_root(
        self, keys: Mapping[str, CryptoSigner], *, also: CryptoSigner | None = None
    ) -> None:
        self.root_version += 1
        root = Root(version=self.root_version, expires=_in(days=365), consistent_snapshot=True)
        for role, signer in keys.items():
            root.add_key(signer.public_key, role)
        signed = Metadata(root)
        signed.sign(keys["root"])
        if also is not None:
            signed.sign(also, append=True)
        signed.to_file(
            str(self.folder / f"{self.root_version}.root.json"), JSONSerializer(compact=False)
        )

    def _write(self, content: Described, name: str, role: str) -> None:
        signed = Metadata(content)
        signed.sign(self.keys[role])
        signed.to_file(str(self.folder / name), JSONSerializer(compact=False))


@dataclass
class Mirror:
    """Answers with the files of a folder; another folder can take its place, or none."""

    url: str
    folder: Path | None
    asked: int = 0

    def answer(self, request: Request) -> Answer:
        self.asked += 1
        if self.folder is None:
            return Answer(b"", 503)
        file = self.folder / request.path.lstrip("/")
        if not file.is_file():
            return Answer(b"", 404)
        return Answer(file.read_bytes())


@contextmanager
def running_mirror(folder: Path) -> Iterator[Mirror]:
    mirror = Mirror("", folder)
    with serving(mirror.answer) as url:
        mirror.url = url
        yield mirror


def _in(*, days: int) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
