"""The policy's answers: nothing to check means no, and every no has its reason."""

from uuid import UUID

import pytest

from provenance.domain.build_facts import Hosting, Platform
from provenance.domain.builders import MODES, Level, builder_id, default_levels
from provenance.domain.evidence import Step, StepName, Verification, examine
from provenance.domain.policy import (
    Decision,
    Enforcement,
    Finding,
    Source,
    TrustMap,
    VerificationPolicy,
    evaluate,
)
from provenance.domain.slsa_v1 import PREDICATE_TYPE
from tests.factories.evidence import BASE_URL, expected, verification
from tests.factories.facts import ISSUER, witnessed

SOURCE = Source(ISSUER, "4242", "77")
POLICY = VerificationPolicy(version=1, sources=(SOURCE,), accepts_release=False)
LEVELS = {
    builder_id(name, mode, base_url=BASE_URL): level
    for name in ("github", "development")
    for mode, level in default_levels(name, Platform.GITHUB)
}
TRUST = TrustMap(1, LEVELS, key_is_shared=False)


def finding(found: Verification, number: int = 1) -> Finding:
    return Finding(UUID(int=number), PREDICATE_TYPE, examine(found, expected()))


def decide(
    *found: Verification,
    policy: VerificationPolicy = POLICY,
    trust: TrustMap = TRUST,
) -> Decision:
    findings = [finding(one, number) for number, one in enumerate(found)]
    return evaluate(policy, trust, findings, base_url=BASE_URL)


NAMES = ("github", "gitlab", "forge-example-com", "development")
BROKEN = Verification((Step(StepName.SIGNATURE, "signature-invalid"),))


def test_allows_provenance_by_a_granted_builder_from_a_recorded_source() -> None:
    decision = decide(verification())

    assert decision.allowed
    assert decision.level is Level.L1
    assert "was not asked about this very job" in decision.why_not_higher[0]


def test_denies_without_any_attestation() -> None:
    decision = decide()

    assert not decision.allowed
    assert decision.reason == "no-attestation"
    assert decision.level is Level.UNEVALUATED


@pytest.mark.parametrize(
    ("code", "policy", "trust", "found"),
    [
        ("signature-invalid", POLICY, TRUST, BROKEN),
        ("builder-not-trusted", POLICY, TrustMap(1, {}, key_is_shared=False), verification()),
        ("source-mismatch", POLICY, TRUST, verification(witnessed(repository_id="4243"))),
        ("source-mismatch", POLICY, TRUST, verification(witnessed(owner_id="78"))),
        ("source-mismatch", POLICY, TRUST, verification(witnessed(issuer="https://other.test"))),
        ("source-mismatch", VerificationPolicy(), TRUST, verification()),
        ("release-only", POLICY, TRUST, verification(is_release=True)),
    ],
)
def test_denies_with_the_reason(
    code: str, policy: VerificationPolicy, trust: TrustMap, found: Verification
) -> None:
    decision = decide(found, policy=policy, trust=trust)

    assert not decision.allowed
    assert decision.reason == code
    assert not decision.serves


def test_allows_a_release_attestation_where_the_policy_accepts_it() -> None:
    decision = decide(verification(is_release=True), policy=VerificationPolicy())

    assert decision.allowed
    assert decision.level is Level.UNEVALUATED
    assert decision.why_not_higher == ("a release attestation claims no build",)


def test_rests_on_the_best_attestation_and_still_shows_the_broken_one() -> None:
    decision = decide(BROKEN, verification(), verification(witnessed(confirmed=True)))

    assert decision.allowed
    assert decision.level is Level.L2
    assert [found.evidence.failed is None for found in decision.findings] == [False, True, True]
    assert decision.counted is not None
    assert decision.counted.attestation == UUID(int=2)


def test_observes_without_calling_it_allowed() -> None:
    observing = VerificationPolicy(enforcement=Enforcement.OBSERVE)

    decision = decide(BROKEN, policy=observing)

    assert decision.serves
    assert not decision.allowed


@pytest.mark.parametrize(
    ("hosting", "confirmed", "level"),
    [
        (Hosting.HOSTED, True, Level.L2),
        (Hosting.HOSTED, False, Level.L1),
        (Hosting.SELF_HOSTED, True, Level.L1),
        (Hosting.SELF_HOSTED, False, Level.L1),
        (Hosting.UNKNOWN, True, Level.L1),
        (Hosting.UNKNOWN, False, Level.L1),
    ],
)
def test_claims_no_more_than_the_table_of_the_product_allows(
    hosting: Hosting, level: Level, *, confirmed: bool
) -> None:
    facts = witnessed(hosting=hosting, confirmed=confirmed)

    assert decide(verification(facts)).level is level


def test_claims_nothing_for_the_development_issuer() -> None:
    facts = witnessed(issuer_name="development", confirmed=True)

    decision = decide(verification(facts))

    assert decision.allowed
    assert decision.level is Level.L0
    assert "proves nothing" in decision.why_not_higher[0]


def test_caps_the_level_where_web_and_attestor_share_the_key() -> None:
    shared = TrustMap(1, LEVELS, key_is_shared=True)

    decision = decide(verification(witnessed(confirmed=True)), trust=shared)

    assert decision.level is Level.L1
    assert any("can sign as the attestor" in why for why in decision.why_not_higher)


def test_grants_level_2_to_no_issuer_that_nobody_decided_about() -> None:
    granted = {
        name: max(level.rank for _mode, level in default_levels(name, Platform.GITHUB))
        for name in NAMES
    }

    assert granted == {
        "github": Level.L2.rank,
        "gitlab": Level.L2.rank,
        "forge-example-com": Level.L1.rank,
        "development": Level.L0.rank,
    }


def test_never_gives_one_builder_id_to_two_issuers() -> None:
    ids = [builder_id(n, m, base_url=BASE_URL) for n in ("a", "b") for m in MODES.values()]

    assert len(set(ids)) == len(ids)
