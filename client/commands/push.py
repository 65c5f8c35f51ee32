"""`strongroom push`: hash, open the build, send what it lacks, seal, wait, show the provenance."""

import threading
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from client.asking import Asking, asking
from client.build import Build, find_build, open_build, seal_build, send_files
from client.commands.waiting import add_wait, show_outcome
from client.console import Console, size
from client.errors import WrongUsage
from client.exits import ExitCode
from client.files import Hashed, files_meant, hash_files, size_of
from client.manifest import entries, write_manifest
from client.settings import add_options, settings_of

NAME: Final = "push"
HELP: Final = "send files to a build, seal it, and have them attested"
JOBS: Final = 6
MOST_JOBS: Final = 32


def add(parser: ArgumentParser) -> None:
    """Files, and what to do with their build."""
    parser.add_argument(
        "patterns",
        nargs="+",
        metavar="PATTERN",
        help="a file, a folder, or a pattern such as 'dist/**/*.whl'",
    )
    add_options(parser)
    group = parser.add_argument_group("which build")
    group.add_argument("--build", default="", metavar="NAME", help="a build of this name")
    group.add_argument("--build-id", type=UUID, metavar="ID", help="go on with this open build")
    group.add_argument(
        "--no-seal",
        action="store_true",
        help="leave it open; with --build, other jobs of the run share it (strongroom seal)",
    )
    add_wait(group)
    group = parser.add_argument_group("which files")
    group.add_argument("--root", metavar="DIR", help="paths are relative to it (here)")
    group.add_argument("--manifest", metavar="FILE", help="write what was pushed, for: seal FILE")
    group.add_argument(
        "--jobs", type=_jobs, default=JOBS, metavar="N", help="files at once (%(default)s)"
    )


def run(args: Namespace, console: Console) -> ExitCode:
    """Push."""
    if args.no_seal and args.wait is not None:
        raise WrongUsage(option="--wait", reason="an open build is not published: use seal --wait")
    if args.build and args.build_id:
        raise WrongUsage(option="--build-id", reason="an id says which build: give no name")
    settings = settings_of(args, args.environ)
    folder = Path.cwd()
    meant = files_meant(args.patterns, root=folder / (args.root or ""), folder=folder)
    asked = asking(settings, console)
    files = hash_files(meant, jobs=args.jobs, on_bytes=Meter(console, "hashed", size_of(meant)).add)
    build = _build(args, asked)
    _tell_build(build, args, console)
    _send(asked, build, files, jobs=args.jobs, console=console)
    wanted = {one.path: one.digest for one in files}
    document: dict[str, Any] = {
        "store": asked.store.origin.url,
        "project": "/".join(asked.project),
        "build": build.id,
        "files": entries(wanted),
    }
    if args.manifest:
        write_manifest(Path(args.manifest), document)
    if args.no_seal:
        console.say(f"build {build.id} has the {len(files)} files and is still open")
        console.result({**document, "state": build.state})
        return ExitCode.DONE
    sealed = seal_build(asked.store, build.id, wanted)
    console.say(f"build {build.id} is sealed with {len(files)} files")
    return show_outcome(asked.store, sealed, document, wait=args.wait, console=console)


class Meter:
    """How many bytes of all, told as they go. Several threads add; some take back."""

    def __init__(self, console: Console, verb: str, total_bytes: int) -> None:
        self._console, self._verb, self._total = console, verb, total_bytes
        self._lock = threading.Lock()
        self._done = self._files = 0
        self._started = time.monotonic()

    def add(self, count: int) -> None:
        """So many bytes more (or less)."""
        with self._lock:
            self._done += count
        self._console.progress(self._text())

    def add_file(self, _file: Hashed) -> None:
        """One file is through."""
        with self._lock:
            self._files += 1
        self._console.progress(self._text())

    def end(self) -> None:
        """All are through."""
        self._console.progress(self._text(), is_last=True)

    def _text(self) -> str:
        seconds = max(time.monotonic() - self._started, 0.001)
        files = f"{self._files} files, " if self._files else ""
        done, total, pace = size(self._done), size(self._total), size(self._done / seconds)
        return f"{self._verb} {files}{done} of {total}, {pace}/s"


def _build(args: Namespace, asked: Asking) -> Build:
    if args.build_id:
        return find_build(asked.store, str(args.build_id))
    is_shared = bool(args.build) and args.no_seal
    return open_build(asked.store, asked.project, name=args.build, is_shared=is_shared)


def _tell_build(build: Build, args: Namespace, console: Console) -> None:
    if build.is_new:
        console.note(f"build {build.id} is open; to go on after a break: --build-id {build.id}")
    elif build.files or args.build_id:
        console.note(f"build {build.id} is {build.state} and has {len(build.files)} files already")


def _send(asked: Asking, build: Build, files: list[Hashed], *, jobs: int, console: Console) -> None:
    rest = build.rest_of(files)
    there = len(files) - len(rest)
    if there:
        console.note(f"{there} of {len(files)} files are there already")
    if not rest:
        return
    meter = Meter(console, "sent", sum(one.size_bytes for one in rest))
    send_files(asked.store, build, rest, jobs=jobs, on_bytes=meter.add, on_file=meter.add_file)
    meter.end()


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_JOBS:
        raise ArgumentTypeError(f"a number from 1 to {MOST_JOBS}")
    return int(text)
