"""`strongroom push`: hash, open the build, send what it lacks, seal, wait, show the provenance."""

from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from client.asking import Asking, asking
from client.build import Build, find_build, open_build, seal_build, send_files
from client.commands.waiting import add_wait, show_outcome
from client.console import Console, size
from client.direct import await_measured, send_direct, way_of
from client.errors import WrongUsage
from client.exits import ExitCode
from client.files import Hashed, files_meant, hash_files, size_of
from client.manifest import entries, write_manifest
from client.meter import Meter
from client.routes import Routes, routes_of
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
        "--jobs",
        type=_jobs,
        default=JOBS,
        metavar="N",
        help="files, or parts of a large one, at once (%(default)s)",
    )
    group.add_argument(
        "--direct",
        action=BooleanOptionalAction,
        help="straight to the store's bucket, or never; else large files, where the store can",
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
    routes = routes_of(asked.store, wanted=args.direct)
    routes.require(meant)
    files = hash_files(meant, jobs=args.jobs, on_bytes=Meter(console, "hashed", size_of(meant)).add)
    build = _build(args, asked)
    _tell_build(build, args, console)
    _send(Push(asked, build, routes, args.jobs), files, console)
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


@dataclass(frozen=True, slots=True)
class Push:
    """Where files go, and how many at once."""

    asked: Asking
    build: Build
    routes: Routes
    jobs: int


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


def _send(push: Push, files: list[Hashed], console: Console) -> None:
    """Send what is not there: large files first, so that the store measures them meanwhile."""
    rest = push.build.rest_of(files)
    there = len(files) - len(rest)
    if there:
        console.note(f"{there} of {len(files)} files are there already")
    if not rest:
        return
    meter = Meter(console, "sent", sum(one.size_bytes for one in rest))
    store = push.asked.store
    way = way_of(store, push.build, jobs=push.jobs, on_bytes=meter.add)
    direct = [one for one in rest if push.routes.is_direct(one.size_bytes)]
    small = [one for one in rest if not push.routes.is_direct(one.size_bytes)]
    begun = [send_direct(way, one) for one in direct]
    send_files(store, push.build, small, jobs=push.jobs, on_bytes=meter.add, on_file=meter.add_file)
    for sent in begun:
        await_measured(way, sent, on_measured=measured(console, sent.file))
        meter.add_file(sent.file)
    meter.end()


def measured(console: Console, file: Hashed) -> Callable[[int], None]:
    """Say how far the store is with measuring a file."""
    total = size(file.size_bytes)
    return lambda count: console.progress(
        f"{file.path} is sent; the store measured {size(count)} of {total}"
    )


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_JOBS:
        raise ArgumentTypeError(f"a number from 1 to {MOST_JOBS}")
    return int(text)
