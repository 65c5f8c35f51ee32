"""A level is an administrator's decision, recorded, and never above what the mode may claim."""

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from kernel.actor import ANONYMOUS, Actor, PermissionMissing, Unauthenticated
from kernel.audit.models import AuditRecord
from kernel.errors import Refusal
from provenance.domain.build_facts import Platform
from provenance.domain.builders import (
    HOSTED_CONFIRMED,
    HOSTED_UNCONFIRMED,
    SELF_HOSTED_CONFIRMED,
    Level,
    Mode,
    NotOurBuilder,
    builder_id,
)
from provenance.errors import LevelNotAllowed
from provenance.queries import trust_map, trust_state
from provenance.usecases.grant_builders import grant_builders
from provenance.usecases.grant_level import grant_level
from tests.factories.actors import administrator

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def acme() -> None:
    with transaction.atomic():
        grant_builders(
            issuer_name="acme",
            platform=Platform.GITLAB,
            base_url=settings.PUBLIC_URL,
            actor=administrator(),
            now=timezone.now(),
        )


def named(mode: Mode, issuer: str = "acme") -> str:
    return builder_id(issuer, mode, base_url=settings.PUBLIC_URL)


def grant(builder: str, level: Level, *, reason: str = "ours", actor: Actor | None = None) -> int:
    return grant_level(
        builder=builder,
        level=level,
        reason=reason,
        actor=actor or administrator(),
        base_url=settings.PUBLIC_URL,
        now=timezone.now(),
    )


def granted(builder: str) -> Level:
    return trust_map(version=trust_state().trust_map_version, key_is_shared=False).levels[builder]


def test_raises_confirmed_jobs_and_takes_it_back() -> None:
    builder = named(HOSTED_CONFIRMED)
    assert granted(builder) is Level.L1

    version = grant(builder, Level.L2, reason="runners are ephemeral")

    assert granted(builder) is Level.L2
    assert granted(named(HOSTED_UNCONFIRMED)) is Level.L1
    told = AuditRecord.objects.get(action="trust-map.level")
    assert told.target == builder
    assert told.facts == {
        "version": version,
        "before": {"level": "SLSA_BUILD_LEVEL_1"},
        "after": {"level": "SLSA_BUILD_LEVEL_2"},
        "reason": "runners are ephemeral",
    }
    grant(builder, Level.L1)
    assert granted(builder) is Level.L1


@pytest.mark.parametrize(
    ("mode", "level", "rule"),
    [
        (HOSTED_CONFIRMED, Level.L3, "too-high"),
        (HOSTED_UNCONFIRMED, Level.L2, "too-high"),
        (SELF_HOSTED_CONFIRMED, Level.L2, "too-high"),
    ],
)
def test_grants_no_more_than_a_mode_may_claim(mode: Mode, level: Level, rule: str) -> None:
    with pytest.raises(LevelNotAllowed) as refused:
        grant(named(mode), level)

    assert refused.value.facts["rule"] == rule
    assert granted(named(mode)) is Level.L1


@pytest.mark.parametrize(
    ("builder", "reason", "refusal"),
    [
        (named(HOSTED_CONFIRMED, "nobody"), "ours", LevelNotAllowed),
        (named(HOSTED_CONFIRMED, "development"), "ours", LevelNotAllowed),
        ("https://other.example/builders/acme/hosted-confirmed/v1", "ours", NotOurBuilder),
        (named(HOSTED_CONFIRMED), "  ", LevelNotAllowed),
    ],
)
def test_decides_about_its_own_builders_with_a_reason(
    builder: str, reason: str, refusal: type[Refusal]
) -> None:
    before = trust_state().trust_map_version

    with pytest.raises(refusal):
        grant(builder, Level.L2, reason=reason)

    assert trust_state().trust_map_version == before


@pytest.mark.parametrize(
    ("actor", "refusal"),
    [(ANONYMOUS, Unauthenticated), (Actor("user:somebody"), PermissionMissing)],
)
def test_lets_only_administrators_of_the_instance_decide(
    actor: Actor, refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        grant(named(HOSTED_CONFIRMED), Level.L2, actor=actor)


def test_is_decided_by_the_operators_command() -> None:
    said = StringIO()

    call_command("grant_level", "acme", "L2", "--reason", "ours", stdout=said)

    assert granted(named(HOSTED_CONFIRMED)) is Level.L2
    assert "may claim L2" in said.getvalue()
    with pytest.raises(CommandError, match="level-not-allowed"):
        call_command("grant_level", "nobody", "L2", "--reason", "ours")
