"""What verification says in its own short words, said for people who read it for the first time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from provenance.domain.builders import Level
from provenance.domain.evidence import StepName
from provenance.domain.policy import NO_ATTESTATION
from provenance.domain.transparency import Transparency

# What each step of a verification shows when it passes; docs/verify.md has the same table.
STEPS: Final[Mapping[StepName, str]] = {
    StepName.BUNDLE: "The bundle can be read, strictly, and is of a kind that is verified here",
    StepName.TIME: "A trusted log or authority vouches for the time of signing",
    StepName.KEY: "The trust root lists the managed key that signed, and it is not revoked",
    StepName.CHAIN: "The certificate comes from an authority in the trust root",
    StepName.SCT: "The certificate was logged when it was issued",
    StepName.CERTIFICATE: "The certificate names one identity and one issuer, and is for signing",
    StepName.LOG: "The signature stands in a transparency log of the trust root",
    StepName.SIGNATURE: "The statement is what the certificate's key signed",
    StepName.LOG_CONSISTENCY: "The log entry is about this very envelope",
    StepName.PAYLOAD_TYPE: "What was signed says that it is an in-toto statement",
    StepName.STATEMENT: "The statement can be read, strictly",
    StepName.SUBJECT: "The statement names this file and these bytes",
    StepName.PREDICATE_TYPE: "It is provenance, or a release attestation",
    StepName.SCHEMA: "It has no field too many and none too few",
    StepName.ISSUER: "The signer belongs to this store",
    StepName.IDENTITY: "The signer is the identity that the statement names, or may speak for it",
    StepName.SCOPE: "The statement belongs to this project",
    StepName.BUILD: "The statement belongs to this build",
    StepName.BUILDER: "An administrator of this store grants this builder a level",
    StepName.SOURCE: "The project's policy accepts this source",
}

# What to do about the most usual reasons; for the others there is one safe advice.
ADVICE: Final[Mapping[str, str]] = {
    NO_ATTESTATION: "Nothing was ever signed about these bytes in this build. Ask the project's "
    "maintainers for another build.",
    "release-only": "The project wants to know the CI job that built its files, and this file was "
    "uploaded with a token that stands for no job. Push it from the project's CI.",
    "source-mismatch": "It was built from a repository that is no trusted publisher of the "
    "project. A maintainer can add that publisher, if it is the right one.",
    "builder-not-trusted": "Nobody has granted this builder a level. An administrator of the "
    "store decides about issuers and their builders.",
}
OTHERWISE: Final = (
    "Do not use these bytes. Tell the project's maintainers and the operator of this store: what "
    "was signed is not about this file, or is not what this store signs."
)


@dataclass(frozen=True, slots=True)
class Rung:
    """One SLSA Build level: its short name, what it means, and what it takes to reach it."""

    level: Level
    name: str
    meaning: str
    takes: str


# SLSA v1.2, Build track.
LADDER: Final = (
    Rung(
        Level.L0,
        "L0",
        "a job uploaded it; nothing is claimed about a build",
        "an upload with a CI job's identity token: a token of the store stands for no build",
    ),
    Rung(
        Level.L1,
        "L1",
        "provenance says how it was built",
        "a CI job whose identity token proves repository, commit and workflow",
    ),
    Rung(
        Level.L2,
        "L2",
        "a hosted platform built it, and the provenance is authentic",
        "a hosted runner, the job confirmed with its platform's API, and an attestor whose key "
        "the web server cannot reach",
    ),
    Rung(
        Level.L3,
        "L3",
        "builds were isolated from each other, and none could forge its provenance",
        "the platform's own attestation: a store that sees only the upload cannot prove isolation",
    ),
)


def advice(reason: str) -> str:
    """What somebody who is refused for this reason can do."""
    return ADVICE.get(reason, OTHERWISE)


def level_name(level: Level | None) -> str:
    """The level as people say it."""
    if level is None or level is Level.UNEVALUATED:
        return "no SLSA level"
    return f"SLSA Build L{level.value[-1]}"


# What asking the platform's API about the job came to; docs/confirmation.md.
CONFIRMATION: Final[Mapping[str, str]] = {
    "not-asked": "no",
    "confirmed": "yes, and it confirmed this very job",
    "incomplete": "yes, but it did not tell enough",
    "unreachable": "yes, but it did not answer",
    "refuted": "yes, and it contradicts the token",
}

# docs/transparency.md says it at length.
RECORDED: Final[Mapping[Transparency, str]] = {
    Transparency.PUBLIC_LOG: "in public logs, for ever",
    Transparency.PRIVATE_LOG: "in a log of this store's operator",
    Transparency.TIMESTAMP_ONLY: "in no log; a timestamp vouches for the time",
}
