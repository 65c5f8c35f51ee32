"""Verified bundles as a verifier would give them, for the rules that come after cryptography."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from kernel.digest import Sha256
from provenance.domain.attesting import asked
from provenance.domain.build_facts import Witnessed
from provenance.domain.confirmation import FIELDS, Confirmation, NotCompared
from provenance.domain.evidence import Expected, Step, StepName, Verification, VerifiedBundle
from provenance.domain.removal import Removed
from provenance.domain.scope import Scope
from provenance.domain.slsa_v1 import Sealed
from provenance.domain.statement import PAYLOAD_TYPE, Subject
from tests.factories.facts import witnessed

BASE_URL = "http://store.test"
PROJECT = UUID("11111111-1111-4111-8111-111111111111")
ORGANIZATION = UUID("22222222-2222-4222-8222-222222222222")
BUILD = UUID("33333333-3333-4333-8333-333333333333")
NAME = "dist/widget.tar.gz"
DIGEST = Sha256("ab" * 32)
AT = datetime(2026, 11, 21, 8, 0, 0, tzinfo=UTC)


def expected(**changes: Any) -> Expected:
    """What the store expects of an attestation for DIGEST in BUILD."""
    return Expected(
        **{
            "scope": Scope(ORGANIZATION, PROJECT),
            "build": BUILD,
            "subject": Subject(NAME, DIGEST),
            "base_url": BASE_URL,
            **changes,
        }
    )


def removed() -> Removed:
    """NAME of BUILD, that somebody removed."""
    return Removed(
        artifact=UUID(int=5),
        build=BUILD,
        path=NAME,
        digest=DIGEST,
        size_bytes=100,
        stored_at=AT,
        removed_at=AT + timedelta(days=1),
        removed_by="olga",
        restorable_until=AT + timedelta(days=8),
        reason="a secret is in it",
    )


def confirmation_of(facts: Witnessed) -> Confirmation:
    """What a platform's API that agrees with these facts leaves."""
    return Confirmation(
        api=f"{facts.server_url}/api",
        asked_at=AT,
        compared=tuple(name for name in FIELDS if name != "ref"),
        not_compared=(NotCompared("ref", "the platform's API does not say it"),),
    )


def verification(
    facts: Witnessed | None = None, *, is_release: bool = False, **changes: Any
) -> Verification:
    """A verification whose cryptography passed, with these parts of the bundle different."""
    facts = facts or witnessed()
    wanted = asked(
        (Subject(NAME, DIGEST),),
        None if is_release else facts,
        Sealed(project=PROJECT, build=BUILD, opened_at=AT, sealed_at=AT),
        base_url=BASE_URL,
        confirmation=confirmation_of(facts) if facts.confirmed else None,
    )
    bundle = {
        "payload_type": PAYLOAD_TYPE,
        "payload": wanted.statement,
        "identity": wanted.identity,
        "issuer": BASE_URL,
        "extensions": {9: wanted.identity, **wanted.claims},
        "signed_at": AT,
        "log_index": 0,
        "log_key_id": "00" * 32,
        **changes,
    }
    return Verification((Step(StepName.SIGNATURE),), VerifiedBundle(**bundle))
