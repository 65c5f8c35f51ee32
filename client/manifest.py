"""The files of a push or of a seal as a document that jobs hand on: paths with their digests."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from client.errors import AnswerNotUnderstood, SettingsMissing, WrongUsage
from kernel.digest import Sha256
from kernel.errors import Refusal

Files = Mapping[str, Sha256]


def entries(files: Files) -> list[dict[str, str]]:
    """The files as a seal names them, by path."""
    return [{"path": path, "sha256": files[path].hex} for path in sorted(files)]


def write_manifest(file: Path, document: Mapping[str, object]) -> None:
    """Write what was pushed.

    Raises:
        WrongUsage: the file cannot be written.
    """
    try:
        file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise WrongUsage(option="--manifest", file=str(file), reason=str(error)) from error


def read_manifest(file: Path) -> dict[str, Sha256]:
    """The files that a manifest of `push --manifest` names.

    Raises:
        SettingsMissing: it cannot be read.
        WrongUsage: it is no manifest.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsMissing(missing="the manifest", file=str(file), reason=str(error)) from error
    except (ValueError, RecursionError) as error:
        raise WrongUsage(file=str(file), expected="a manifest of push --manifest") from error
    listed = document.get("files") if isinstance(document, dict) else None
    try:
        return _files(listed)
    except (AnswerNotUnderstood, Refusal) as refusal:
        facts = {"expected": "a manifest of push --manifest", **refusal.facts}
        raise WrongUsage(file=str(file), **facts) from refusal


def union(manifests: Sequence[tuple[str, Files]]) -> dict[str, Sha256]:
    """The files of all of them.

    Raises:
        WrongUsage: two name one path with different digests.
    """
    together: dict[str, Sha256] = {}
    for name, files in manifests:
        for path, digest in files.items():
            if together.setdefault(path, digest) != digest:
                raise WrongUsage(file=name, path=path, reason="another manifest has other bytes")
    return together


def stored_files(listed: object) -> dict[str, Sha256]:
    """The files that a build has, as the store lists them.

    Raises:
        AnswerNotUnderstood: it is no list of files.
    """
    return _files(listed)


def _files(listed: object) -> dict[str, Sha256]:
    if not isinstance(listed, list):
        raise AnswerNotUnderstood(expected="a list of objects with path and sha256")
    return dict(_entries(listed))


def _entries(listed: Iterable[object]) -> Iterable[tuple[str, Sha256]]:
    for number, entry in enumerate(listed, start=1):
        match entry:
            case {"path": str(path), "sha256": str(digest)}:
                yield path, Sha256(digest)
            case _:
                raise AnswerNotUnderstood(entry=number, expected="path and sha256")
