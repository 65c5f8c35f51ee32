"""Builder ids, what each may claim, and the identity of release attestations.

A builder id is a URL of this store, one for each issuer and mode, and answers with a page made
from these constants (SLSA v1.2, "Provenance": builder.id SHOULD resolve to documentation).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kernel.errors import Kind, Refusal
from provenance.domain.build_facts import Hosting, Platform, Witnessed


class Level(StrEnum):
    """SLSA v1.2 Build levels, as verification summaries spell them, lowest first."""

    UNEVALUATED = "SLSA_BUILD_LEVEL_UNEVALUATED"
    L0 = "SLSA_BUILD_LEVEL_0"
    L1 = "SLSA_BUILD_LEVEL_1"
    L2 = "SLSA_BUILD_LEVEL_2"
    L3 = "SLSA_BUILD_LEVEL_3"

    @property
    def rank(self) -> int:
        """The position in the order above."""
        return list(Level).index(self)


@dataclass(frozen=True, slots=True)
class Mode:
    """One way in which a job can be known, with the most it may claim and why not more."""

    name: str
    title: str
    most: Level
    why_not_higher: str


HOSTED_CONFIRMED: Final = Mode(
    "hosted-confirmed",
    "hosted runner, confirmed with the platform's API",
    Level.L2,
    "the token is reachable by the job's own steps, inputs and variables are not in its claims, "
    "and isolation of builds is the platform's to prove, not ours",
)
HOSTED_UNCONFIRMED: Final = Mode(
    "hosted-unconfirmed",
    "hosted runner by the token's claim, not confirmed with the platform's API",
    Level.L1,
    "the platform's API was not asked about this very job, did not answer in time, or does not "
    "tell its hosting, so that the facts rest on a token that passed through the job's own hands",
)
SELF_HOSTED_CONFIRMED: Final = Mode(
    "self-hosted-confirmed",
    "self-hosted runner, or hosting unknown; confirmed with the platform's API",
    Level.L1,
    "nothing shows that the build ran on hosted infrastructure (SLSA v1.2 Build L2, Hosted)",
)
SELF_HOSTED_UNCONFIRMED: Final = Mode(
    "self-hosted-unconfirmed",
    "self-hosted runner, or hosting unknown; not confirmed with the platform's API",
    Level.L1,
    "nothing shows that the build ran on hosted infrastructure (SLSA v1.2 Build L2, Hosted)",
)
IDENTITY_ONLY: Final = Mode(
    "identity-only",
    "an issuer that proves a subject, and no repository, commit or job",
    Level.L0,
    "the token names neither repository nor commit nor job, so that nothing is said of a build",
)
MODES: Final = {
    mode.name: mode
    for mode in (
        HOSTED_CONFIRMED,
        HOSTED_UNCONFIRMED,
        SELF_HOSTED_CONFIRMED,
        SELF_HOSTED_UNCONFIRMED,
        IDENTITY_ONLY,
    )
}

CONFIRMED_MODES: Final = frozenset({HOSTED_CONFIRMED, SELF_HOSTED_CONFIRMED})

DEVELOPMENT_ISSUER: Final = "development"
DEVELOPMENT_WHY: Final = (
    "the identity came from the development issuer, which gives anybody on this machine a token "
    "with any claims: it proves nothing"
)
SHARED_KEY_WHY: Final = (
    "the account that runs the web server can sign as the attestor: it can read the attestor's "
    "key, or answers for the key of its identity tokens (SLSA v1.2 Build L2, Authentic)"
)


def mode_of(facts: Witnessed) -> Mode:
    """The mode in which this job is known. Unknown hosting counts as self-hosted."""
    if facts.platform is Platform.GENERIC:
        return IDENTITY_ONLY
    if facts.hosting is Hosting.HOSTED:
        return HOSTED_CONFIRMED if facts.confirmed else HOSTED_UNCONFIRMED
    return SELF_HOSTED_CONFIRMED if facts.confirmed else SELF_HOSTED_UNCONFIRMED


def builder_id(issuer_name: str, mode: Mode, *, base_url: str) -> str:
    """The URL of the builder: never shared by two issuers, because names of issuers are unique."""
    return f"{base_url}/builders/{issuer_name}/{mode.name}/v1"


@dataclass(frozen=True, slots=True)
class Builder:
    """One builder id taken apart: whose tokens, how the job is known, the most it may claim."""

    issuer_name: str
    mode: Mode
    most: Level
    why_not_higher: str


class NotOurBuilder(Refusal):
    """The builder id is not a URL of this store's."""

    code = "not-our-builder"
    kind = Kind.INVALID


def describe_builder(identity: str, *, base_url: str) -> Builder:
    """Read a builder id of this store.

    Raises:
        NotOurBuilder: it has another shape, another host, or an unknown mode.
    """
    match identity.removeprefix(f"{base_url}/builders/").split("/"):
        case [issuer_name, mode_name, "v1"] if mode_name in MODES and issuer_name:
            mode = MODES[mode_name]
            if issuer_name == DEVELOPMENT_ISSUER:
                return Builder(issuer_name, mode, Level.L0, DEVELOPMENT_WHY)
            return Builder(issuer_name, mode, mode.most, mode.why_not_higher)
        case _:
            raise NotOurBuilder(found=identity[:300], expected=f"{base_url}/builders/…")


def release_attestor_id(*, base_url: str) -> str:
    """The certificate identity of release attestations, which claim no build."""
    return f"{base_url}/attestors/release/v1"


def removal_attestor_id(*, base_url: str) -> str:
    """The certificate identity of removals, which claim no build either."""
    return f"{base_url}/attestors/removal/v1"


def modes_of(platform: Platform) -> list[Mode]:
    """The modes in which jobs of a platform can be known."""
    is_generic = platform is Platform.GENERIC
    return [mode for mode in MODES.values() if (mode is IDENTITY_ONLY) is is_generic]


# Whose API this release can be trusted to ask about a job. Another instance needs the recorded
# decision of an administrator; until then its jobs claim L1, however they were confirmed.
CONFIRMABLE_ISSUERS: Final = frozenset({"github", "gitlab"})


def default_levels(issuer_name: str, platform: Platform) -> list[tuple[Mode, Level]]:
    """What each mode of a new issuer is granted; the development issuer's claim nothing."""
    modes = modes_of(platform)
    if issuer_name == DEVELOPMENT_ISSUER:
        return [(mode, Level.L0) for mode in modes]
    most = Level.L2 if issuer_name in CONFIRMABLE_ISSUERS else Level.L1
    return [(mode, min(mode.most, most, key=lambda level: level.rank)) for mode in modes]
