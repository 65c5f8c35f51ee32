"""`strongroom trust`: look at what a store offers to be believed, and keep it or its update."""

from argparse import ArgumentParser, Namespace
from typing import Final

from client import settings, trust
from client.console import Console
from client.errors import WrongUsage
from client.exits import ExitCode
from client.trust import Consent

NAME: Final = "trust"
HELP: Final = (
    "keep a store's trust root, and with --project what to expect of a project, for pull and verify"
)


def add(parser: ArgumentParser) -> None:
    """Declare the command's options."""
    settings.add_options(parser)
    parser.add_argument("--update", action="store_true", help="replace what is pinned already")
    parser.add_argument(
        "--trust-root", metavar="FILE", help="take the trust root from this file, not the store"
    )
    for name, what in (("--trust-root-sha256", "trust root"), ("--policy-sha256", "expectations")):
        parser.add_argument(
            name,
            metavar="HEX",
            default="",
            help=f"the digest of the {what}, as you know it from elsewhere; asks no question",
        )


def run(args: Namespace, console: Console) -> ExitCode:
    """Pin, or show what differs."""
    meant = settings.settings_of(args, args.environ)
    origin = meant.required_origin()
    if args.policy_sha256 and meant.project is None:
        raise WrongUsage(option="--policy-sha256", expected="--project ORGANIZATION/PROJECT")
    root = Consent(args.trust_root_sha256, args.update)
    if args.trust_root:
        content = trust.read_file(args.trust_root, option="--trust-root")
        is_kept = trust.pin_trust_root(content, origin, console, environ=args.environ, consent=root)
    else:
        store = meant.store(console)
        is_kept = trust.pin(store, console, environ=args.environ, consent=root)
    if meant.project is not None and is_kept:
        is_kept = trust.pin_expectations(
            meant.store(console),
            meant.project,
            console,
            environ=args.environ,
            consent=Consent(args.policy_sha256, args.update),
        )
    console.result({"store": origin.url, "project": meant.project, "is_pinned": is_kept})
    return ExitCode.DONE if is_kept else ExitCode.REFUSED
