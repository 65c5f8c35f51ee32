"""A token in the making: each stage of it can be bent before the next one is built on it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from random import Random
from typing import Any, Final

from tests.factories.identity_tokens import (
    NOW,
    PrivateKey,
    b64,
    claims,
    ec_key,
    gitlab_claims,
    jwk,
    rsa_key,
    signature_of,
)

GENERIC: Final = "https://ci.example.org"
PRIVATE: Final[Mapping[str, Callable[[], PrivateKey]]] = {"RS256": rsa_key, "ES256": ec_key}


class Stage(IntEnum):
    """What of a token a mutation bends, in the order in which a token is built."""

    CLAIMS = 1
    HEADER = 2
    JSON = 3
    BASE64 = 4
    SIGNING = 5
    SIGNATURE = 6
    TEXT = 7
    KEYS = 8


@dataclass(slots=True)
class Draft:
    """One token and the key set that its issuer publishes. Signed when its segments stand."""

    platform: str
    algorithm: str
    claims: dict[str, Any]
    header: dict[str, Any]
    keys: dict[str, Any]
    parts: list[bytes] = field(default_factory=list)  # header and claims as JSON
    segments: list[str] = field(default_factory=list)
    signer: PrivateKey | None = None
    signature: bytes = b""
    text: str = ""
    keys_text: str = ""

    @property
    def key(self) -> PrivateKey:
        """The issuer's own signing key."""
        return PRIVATE[self.algorithm]()

    def enter(self, stage: Stage) -> None:
        """Build what the stage bends, from what stands before it."""
        if stage is Stage.JSON:
            self.parts = [json.dumps(part).encode() for part in (self.header, self.claims)]
        elif stage is Stage.BASE64:
            self.segments = [b64(part) for part in self.parts]
        elif stage is Stage.SIGNING:
            self.signer = self.key
        elif stage is Stage.SIGNATURE and self.signer is not None:
            self.signature = signature_of(self.signer, self.signing_input)
        elif stage is Stage.TEXT:
            self.text = ".".join([*self.segments, b64(self.signature)])

    def finish(self) -> None:
        """Write the key set down, unless a mutation did."""
        self.keys_text = self.keys_text or json.dumps(self.keys)

    @property
    def signing_input(self) -> bytes:
        """What is signed; a segment that is no ASCII is signed as UTF-8."""
        return ".".join(self.segments).encode("utf-8", "surrogatepass")


Mutation = Callable[[Random, Draft], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One mutation with a seed of its own: leaving another step out does not change it."""

    stage: Stage
    mutation: Mutation
    seed: str

    @property
    def name(self) -> str:
        """The mutation's name, as a reproducer lists it."""
        return f"{self.stage.name.lower()}.{self.mutation.__name__.strip('_')}"


def fresh(platform: str, algorithm: str) -> Draft:
    """A token that is good in every respect, and its issuer's key set."""
    if platform == "gitlab":
        members = gitlab_claims(NOW)
    elif platform == "github":
        members = claims(NOW, environment="release")
    else:
        members = claims(NOW, iss=GENERIC, sub="workload:acme/widget")
    header = {"typ": "JWT", "alg": algorithm, "kid": "key-1"}
    keys = {"keys": [jwk(PRIVATE[algorithm]())]}
    return Draft(platform, algorithm, members, header, keys)


def built(platform: str, algorithm: str, steps: list[Step]) -> Draft:
    """The token and the key set after these steps; the same every time."""
    draft = fresh(platform, algorithm)
    for stage in Stage:
        draft.enter(stage)
        for step in steps:
            if step.stage is stage:
                step.mutation(Random(step.seed), draft)  # noqa: S311 - reproducible by its seed
    draft.finish()
    return draft
