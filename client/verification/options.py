"""The options that say what is acceptable, as `pull` and `verify` share them."""

from argparse import ArgumentParser, Namespace
from typing import Final

from client.verification.wishes import Wishes
from provenance.domain.builders import Level

LEVELS: Final = {"1": Level.L1, "2": Level.L2, "3": Level.L3}


def add_options(parser: ArgumentParser) -> None:
    """Declare them."""
    group = parser.add_argument_group("what is acceptable, over what is pinned")
    group.add_argument(
        "--builder",
        metavar="ID",
        action="append",
        default=[],
        help="only this builder.id; again for another",
    )
    group.add_argument("--repository-id", metavar="ID", default="", help="only this repository")
    group.add_argument("--owner-id", metavar="ID", default="", help="and only of this owner")
    group.add_argument("--level", choices=sorted(LEVELS), help="at least this SLSA Build level")


def wishes_of(args: Namespace) -> Wishes:
    """What they say."""
    return Wishes(
        builders=tuple(args.builder),
        repository_id=args.repository_id,
        owner_id=args.owner_id,
        level=LEVELS.get(args.level),
    )
