"""`strongroom verify FILE`: every check on this machine, online or with files alone."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from client import lookup, settings, trust
from client.console import Console
from client.errors import WrongUsage
from client.exits import ExitCode, exit_code_of
from client.landing import digest_of
from client.settings import Settings
from client.verification import options
from client.verification.errors import NothingOffered
from client.verification.judgement import Candidate, Question, judge
from client.verification.wishes import acceptable
from client.verification.wording import conclusion, lines
from kernel.digest import Sha256
from kernel.errors import Kind
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.report import Verdict

NAME: Final = "verify"
HELP: Final = "verify a file against what was pinned beforehand, and show every step"


def add(parser: ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("file", metavar="FILE", help="the file")
    parser.add_argument(
        "--bundle",
        metavar="FILE",
        action="append",
        default=[],
        help="a Sigstore bundle about it; again for another. With bundles no network is used",
    )
    parser.add_argument("--name", default="", help="the path that it must have been stored under")
    parser.add_argument("--build", metavar="ID", help="the build that it must be of")
    trust.add_options(parser)
    options.add_options(parser)
    settings.add_options(parser)


def run(args: Namespace, console: Console) -> ExitCode:
    """Verify it; done only if an attestation satisfies what was stated or pinned."""
    meant = settings.settings_of(args, args.environ)
    known = trust.believed_expectations(args, args.environ, meant.origin, meant.project)
    stated = acceptable(options.wishes_of(args), known)
    trust_root = trust.believed_trust_root(args, args.environ, meant.origin)
    digest = digest_of(Path(args.file))
    build = build_of(args.build)
    candidates = _given(args, build) or _offered(meant, console, digest, build)
    answer = judge(
        Question(digest, trust_root, stated, args.name),
        candidates,
        verifier=SigstoreVerifier(),
        now=datetime.now(tz=UTC),
    )
    return show(answer, console, title=args.file)


def show(answer: Verdict, console: Console, *, title: str) -> ExitCode:
    """Print every step and the answer, and say how the command ends with it."""
    console.say(title)
    for line in lines(answer.document):
        console.say(line)
    console.result(answer.document)
    if answer.allowed:
        console.say(conclusion(answer.document))
        return ExitCode.DONE
    console.warn(conclusion(answer.document))
    return exit_code_of(answer.reason, Kind.FORBIDDEN)


def build_of(text: str | None) -> UUID | None:
    """The build that was named.

    Raises:
        WrongUsage: that is no id.
    """
    try:
        return UUID(text) if text else None
    except ValueError:
        raise WrongUsage(option="--build", found=text, expected="the id of a build") from None


def _given(args: Namespace, build: UUID | None) -> list[Candidate]:
    return [
        Candidate(trust.read_file(name, option="--bundle"), name, build) for name in args.bundle
    ]


def _offered(
    meant: Settings, console: Console, digest: Sha256, build: UUID | None
) -> list[Candidate]:
    """What the store has about these bytes in the project, whichever build of it had them."""
    project = "/".join(meant.required_project())
    store = meant.store(console)
    found = lookup.with_digest(store, project, digest)
    if not found:
        raise NothingOffered(project=project, sha256=digest.hex)
    bundles = lookup.Bundles(store)
    every = {one.identity: one for offered in found for one in bundles.of(offered)}
    return [Candidate(one.content, one.origin, build) for one in every.values()]
