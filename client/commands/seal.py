"""`strongroom seal`: name the files that an open build should have, and end its uploads.

For builds that several jobs share: each pushes with `--no-seal`, one that waits for them seals.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Final
from uuid import UUID

from client.asking import Asking, asking
from client.build import OPEN, Build, find_build, open_build, seal_build
from client.commands.waiting import add_wait, show_outcome
from client.console import Console
from client.errors import BuildAbsent, WrongCount, WrongUsage
from client.exits import ExitCode
from client.manifest import Files, entries, read_manifest, union
from client.settings import add_options, settings_of

NAME: Final = "seal"
HELP: Final = "end an open build by naming the files that it should have"


def add(parser: ArgumentParser) -> None:
    """Which build, and which files."""
    parser.add_argument(
        "manifests",
        nargs="*",
        metavar="MANIFEST",
        help="what jobs wrote with push --manifest; all of them together are the build's files",
    )
    add_options(parser)
    group = parser.add_argument_group("which build")
    group.add_argument("--build", default="", metavar="NAME", help="the run's build of this name")
    group.add_argument("--build-id", type=UUID, metavar="ID", help="the build of this id")
    group.add_argument("--all", action="store_true", help="whatever is there now, after showing it")
    group.add_argument("--count", type=int, metavar="N", help="only if it is this many files")
    add_wait(group)


def run(args: Namespace, console: Console) -> ExitCode:
    """Seal."""
    if bool(args.manifests) == args.all:
        raise WrongUsage(expected="manifests that name the files, or --all")
    if args.build and args.build_id:
        raise WrongUsage(option="--build-id", reason="an id says which build: give no name")
    named = union([(name, read_manifest(Path(name))) for name in args.manifests])
    asked = asking(settings_of(args, args.environ), console)
    build = _build(args, asked)
    files = _shown(build, console) if args.all else named
    if args.count is not None and len(files) != args.count:
        raise WrongCount(build=build.id, expected=args.count, found=len(files))
    sealed = seal_build(asked.store, build.id, files)
    console.say(f"build {build.id} is sealed with {len(files)} files")
    document = {
        "store": asked.store.origin.url,
        "project": "/".join(asked.project),
        "build": build.id,
        "files": entries(files),
    }
    return show_outcome(asked.store, sealed, document, wait=args.wait, console=console)


def _build(args: Namespace, asked: Asking) -> Build:
    if args.build_id:
        return find_build(asked.store, str(args.build_id))
    found = open_build(asked.store, asked.project, name=args.build, is_shared=bool(args.build))
    if found.is_new:
        # Asking for it has opened one, which the store forgets in a day.
        raise BuildAbsent(name=args.build or "(the job's own)", project="/".join(asked.project))
    return found


def _shown(build: Build, console: Console) -> Files:
    state = "" if build.state == OPEN else f" (it is {build.state} already)"
    console.say(f"build {build.id} has {len(build.files)} files{state}:")
    for path in sorted(build.files):
        console.say(f"  {build.files[path].hex}  {path}")
    return build.files
