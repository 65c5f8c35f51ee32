"""`strongroom pull`: a file gets its name only when it is verified here, against what is pinned."""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from client import lookup, settings, trust
from client.commands.verify import build_of
from client.console import Console, size
from client.download import Transfer, Wanted
from client.errors import WrongUsage
from client.exits import ExitCode
from client.http import Store
from client.landing import digest_of, give_name, nameless
from client.lookup import Bundles, Offered
from client.verification import options
from client.verification.errors import ExpectationMissing, FileExists, VerificationFailed
from client.verification.judgement import Candidate, Question, judge
from client.verification.targets import named_by_address, target_of
from client.verification.wishes import Acceptable, acceptable
from client.verification.wording import conclusion, lines
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.report import Verdict

NAME: Final = "pull"
HELP: Final = "download files of a project; a file gets its name only when it is verified"


def add(parser: ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "what",
        metavar="PATH|URL",
        nargs="*",
        help="paths in the project, or addresses of artifacts; none for all files of --build",
    )
    parser.add_argument("--build", metavar="ID", help="the build that they are of")
    parser.add_argument(
        "--newest",
        action="store_true",
        help="of several builds with this path, the one that was published last",
    )
    parser.add_argument("-o", "--output", metavar="FILE|DIR", help="where to (default: here)")
    parser.add_argument("--force", action="store_true", help="replace files with other bytes")
    parser.add_argument(
        "--with-bundle",
        action="store_true",
        help="also keep the bundle that counted, beside each file as FILE.sigstore.json",
    )
    trust.add_options(parser)
    options.add_options(parser)
    settings.add_options(parser)


@dataclass(frozen=True, slots=True)
class _Consumer:
    """Everything that a pull believes and uses."""

    store: Store
    bundles: Bundles
    trust_root: bytes
    stated: Acceptable
    console: Console
    may_replace: bool
    with_bundle: bool


def run(args: Namespace, console: Console) -> ExitCode:
    """Pull every file, each verified before it has a name; stop at the first that is not."""
    meant = settings.settings_of(args, args.environ)
    project = "/".join(meant.required_project())
    known = trust.believed_expectations(args, args.environ, meant.origin, project)
    stated = acceptable(options.wishes_of(args), known)
    if stated.policy is None:
        raise ExpectationMissing(
            project=project,
            how="strongroom trust --project, or --policy FILE, or --builder with --repository-id "
            "and --owner-id",
        )
    trust_root = trust.believed_trust_root(args, args.environ, meant.origin)
    store = meant.store(console)
    bundles = Bundles(store)
    consumer = _Consumer(store, bundles, trust_root, stated, console, args.force, args.with_bundle)
    wanted = _wanted(args, store, project)
    is_folder = not args.what
    pulled = [
        _pull(consumer, one, target_of(one.path, args.output, is_folder=is_folder))
        for one in wanted
    ]
    console.result({"project": project, "files": pulled})
    return ExitCode.DONE


def _wanted(args: Namespace, store: Store, project: str) -> list[Offered]:
    """What is meant, as the store describes it.

    Raises:
        NothingOffered: there is no such thing.
        WrongUsage: it could be several things, or none is named.
    """
    build = build_of(args.build)
    if not args.what and build is None:
        raise WrongUsage(expected="a path, an artifact's address, or --build ID")
    if not args.what and build is not None:
        return lookup.whole_build(store, project, build)
    if len(args.what) > 1 and args.output and not Path(args.output).is_dir():
        raise WrongUsage(option="--output", expected="a folder, for several files")
    meant = [named_by_address(one, store.origin, project) for one in args.what]
    return [
        lookup.the_one(store, project, replace(one, build=build or one.build), newest=args.newest)
        for one in meant
    ]


def _pull(consumer: _Consumer, offered: Offered, target: Path) -> dict[str, Any]:
    """One file: judged by what is announced, fetched, measured, and only then named.

    Raises:
        VerificationFailed, DownloadDiffers, FileExists: and no file was written.
    """
    console = consumer.console
    is_there = os.path.lexists(target)
    is_file = target.is_file() and not target.is_symlink()
    has_it = is_file and digest_of(target) == offered.digest
    if target.is_dir():
        raise WrongUsage(file=str(target), reason="there is a folder of this name")
    if is_there and not has_it and not consumer.may_replace:
        raise FileExists(file=str(target), offered_sha256=offered.digest.hex)
    found = [
        Candidate(one.content, one.origin, offered.build) for one in consumer.bundles.of(offered)
    ]
    answer = _judged(consumer, offered, found)
    if offered.yanked is not None:
        why = f": {offered.yanked}" if offered.yanked else ""
        console.warn(f"{offered.path} was yanked by its project{why}")
    if not has_it:
        _fetch(consumer, offered, target)
    if consumer.with_bundle:
        _keep_bundle(consumer, answer, found, target)
    console.say(f"{target}: {conclusion(answer.document)}")
    return {
        "file": str(target),
        "was_there": has_it,
        "is_yanked": offered.yanked is not None,
        **answer.document,
    }


def _judged(consumer: _Consumer, offered: Offered, found: Sequence[Candidate]) -> Verdict:
    """The answer about the announced digest: the bytes must have it, or they get no name."""
    question = Question(offered.digest, consumer.trust_root, consumer.stated, offered.path)
    answer = judge(question, found, verifier=SigstoreVerifier(), now=datetime.now(tz=UTC))
    if answer.allowed:
        return answer
    for line in lines(answer.document):
        consumer.console.note(line)
    raise VerificationFailed(
        path=offered.path, reason=answer.reason, verdict=conclusion(answer.document)
    )


def _fetch(consumer: _Consumer, offered: Offered, target: Path) -> None:
    whole = size(offered.size_bytes)

    def hear(here: int) -> None:
        is_last = here == offered.size_bytes
        consumer.console.progress(f"{target.name}: {size(here)} of {whole}", is_last=is_last)

    address = lookup.download_address(consumer.store, offered)
    with nameless(target) as landed:
        wanted = Wanted(address, offered.digest, offered.size_bytes, hear)
        transfer = Transfer(consumer.store, wanted, landed.opened)
        transfer.run()
        if transfer.said:
            consumer.console.note(f"the store says of itself: {transfer.said} (not relied on)")
        give_name(landed, target, may_replace=consumer.may_replace)


def _keep_bundle(
    consumer: _Consumer, answer: Verdict, found: Sequence[Candidate], target: Path
) -> None:
    """Write the bundle that the answer rests on beside the file, for checks without the store."""
    counted = answer.document["provenance"]["attestation"]
    bundle = next(one.content for one in found if str(one.identity) == counted)
    place = target.with_name(f"{target.name}.sigstore.json")
    if place.is_file() and place.read_bytes() == bundle:
        return
    with nameless(place) as landed:
        landed.opened.write(bundle)
        give_name(landed, place, may_replace=consumer.may_replace)
