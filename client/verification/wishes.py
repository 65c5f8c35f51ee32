"""What is accepted in the end: a policy that was pinned or given, and what flags say over it.

A flag replaces what the policy says about the same thing. Flags alone are enough if they name a
builder and a source; with less, nothing is ever called verified.
"""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from client.errors import WrongUsage
from provenance.domain.builders import Builder, Level, NotOurBuilder, describe_builder
from provenance.domain.expectations import ProjectExpectations
from provenance.domain.policy import Source, TrustMap, VerificationPolicy

_BUILDERS: Final = "/builders/"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says; empty where it says nothing."""

    builders: tuple[str, ...] = ()
    repository_id: str = ""
    owner_id: str = ""
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class Acceptable:
    """What a verification is held against.

    `policy` is None where nothing was said about the source. `source` holds ids without the
    issuer, which the builders name. `project` and `base_url` are empty where nobody said them.
    """

    policy: VerificationPolicy | None
    trust_map: TrustMap | None
    base_url: str = ""
    project: UUID | None = None
    source: Source | None = None
    level: Level | None = None


def acceptable(wishes: Wishes, known: ProjectExpectations | None) -> Acceptable:
    """Put both together.

    Raises:
        WrongUsage: the flags contradict each other, or say only half of a thing.
    """
    base_url = _base_url(wishes.builders, known)
    builders = {one: _described(one, base_url) for one in wishes.builders}
    source = _source(wishes, builders)
    stated = Acceptable(None, None, base_url, source=source, level=wishes.level)
    if known is not None:
        policy, trust_map = known.policy, _readable(known.trust_map, base_url)
        stated = replace(stated, policy=policy, trust_map=trust_map, project=known.project)
    if wishes.builders:
        stated = replace(stated, trust_map=_only(wishes.builders, stated.trust_map))
    if source is not None:
        policy = VerificationPolicy(accepts_release=False)
        stated = replace(stated, policy=policy)
    return stated


def _source(wishes: Wishes, builders: dict[str, Builder]) -> Source | None:
    if not wishes.repository_id and not wishes.owner_id:
        return None
    if not (wishes.repository_id and wishes.owner_id):
        raise WrongUsage(
            reason="--repository-id and --owner-id belong together: a repository that was handed "
            "to another owner keeps its id"
        )
    if len({builder.issuer_name for builder in builders.values()}) != 1:
        raise WrongUsage(
            reason="--repository-id counts on one platform only: say which by --builder, and name "
            "builders of one platform"
        )
    return Source("", wishes.repository_id, wishes.owner_id)


def _base_url(builders: tuple[str, ...], known: ProjectExpectations | None) -> str:
    stores = {one.partition(_BUILDERS)[0] for one in builders}
    if known is not None:
        stores.add(known.base_url)
    if len(stores) > 1:
        raise WrongUsage(reason="the builders are not of one store", found=sorted(stores))
    return next(iter(stores), "")


def _described(builder: str, base_url: str) -> Builder:
    try:
        return describe_builder(builder, base_url=base_url)
    except NotOurBuilder as refusal:
        raise WrongUsage(reason="--builder names no builder of a store", **refusal.facts) from None


def _only(builders: tuple[str, ...], trust_map: TrustMap | None) -> TrustMap:
    """These builders and no others. Who names a builder accepts it; only a map gives a level."""
    known = trust_map or TrustMap(0, {}, key_is_shared=False)
    return replace(
        known, levels={one: known.levels.get(one, Level.UNEVALUATED) for one in builders}
    )


def _readable(trust_map: TrustMap, base_url: str) -> TrustMap:
    """Without builders that this release cannot describe: those are not trusted by it."""
    levels = {}
    for builder, level in trust_map.levels.items():
        try:
            describe_builder(builder, base_url=base_url)
        except NotOurBuilder:
            continue
        levels[builder] = level
    return replace(trust_map, levels=levels)
