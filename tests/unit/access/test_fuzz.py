"""A few seconds of the fuzz, and that its oracle would notice: mistakes are planted here."""

import json
from dataclasses import replace
from typing import Any

import pytest

from access.domain.claims import witnessed_facts
from access.domain.identity_token import VerifiedToken, parse_unverified, verify
from provenance.domain.build_facts import Platform
from tests.factories.identity_tokens import (
    AUDIENCE,
    NOW,
    b64,
    claims,
    ec_key,
    jwk,
    public_key,
    signed,
)
from tests.fuzz import reading
from tests.fuzz.drafts import fresh
from tests.fuzz.identity_tokens import Run, advance, drawn
from tests.fuzz.oracle import identify, outcome

KEYS = {"keys": [jwk(ec_key())]}
SECONDS = int(NOW.timestamp())


def independently(text: str, keys: Any = KEYS) -> reading.Reading:
    read = reading.read(text)
    reading.check(read, keys=keys, audience=AUDIENCE, now=SECONDS)
    return read


def facts(**changes: Any) -> dict[str, object]:
    unverified = parse_unverified(signed(claims(**changes), ec_key()))
    token = verify(unverified, key=public_key(ec_key()), audience=AUDIENCE, now=NOW)
    found = witnessed_facts(token, platform=Platform.GITHUB, issuer_name="github")
    return found.to_json()


def test_finds_nothing_in_a_few_thousand_cases() -> None:
    run = Run(seed=4)

    for _ in range(4000):
        advance(run)

    assert not run.reproducers, json.dumps(run.reproducers, indent=2)
    assert run.unbuilt < 40
    # It gets everywhere: to every refusal on the way, and past the last one.
    assert run.outcomes.keys() >= {
        "accepted, 7 publishers",
        "accepted, 0 publishers",
        "algorithm-not-allowed",
        "claim-invalid",
        "claim-missing",
        "event-not-allowed",
        "fork-not-allowed",
        "identity-token-expired",
        "identity-token-lives-too-long",
        "identity-token-malformed",
        "identity-token-not-yet-valid",
        "issuer-unavailable",
        "signature-invalid",
        "unknown-issuer",
        "unknown-key",
        "wrong-audience",
    }


def test_builds_the_same_token_again_from_its_seed() -> None:
    recipes = [drawn(9, index) for index in range(100)]

    texts = [case.draft().parts for case in recipes if case.steps]

    assert recipes == [drawn(9, index) for index in range(100)]
    assert texts == [case.draft().parts for case in recipes if case.steps]


@pytest.mark.parametrize("platform", ["github", "gitlab", "generic"])
@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_accepts_every_good_token_it_starts_from(platform: str, algorithm: str) -> None:
    draft = fresh(platform, algorithm)
    draft.text = signed(draft.claims, draft.key)
    draft.finish()

    said = outcome(draft, is_unbent=True)

    assert said.code.startswith("accepted")
    assert said.finding == ""


@pytest.mark.parametrize(
    "text",
    [
        signed(claims(), ec_key("stranger")),
        signed(claims(), ec_key()) + "A",
        signed(claims(), ec_key()) + "=",
        signed(claims(aud=[AUDIENCE]), ec_key()),
        signed(claims(jti=None), ec_key()),
        signed(claims(exp=SECONDS - 31), ec_key()),
        signed(claims(), ec_key(), crit=[]),
        signed(claims(), ec_key(), kid="other"),
        signed('{"odd": NaN}', ec_key()),
        signed('{"iss": "a", "iss": "b"}', ec_key()),
        f"{b64(b'{}')}.{b64(json.dumps(claims()).encode('utf-16'))}.AAAA",
    ],
)
def test_would_notice_a_token_that_must_not_be_accepted(text: str) -> None:
    with pytest.raises(reading.Unreadable):
        independently(text)

    assert independently(signed(claims(), ec_key())).claims["repository"] == "acme/widget"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"repository_id": "42420"}, "repository_id is not repository_id"),
        ({"hosting": "hosted"}, "hosting"),
        ({"workflow_path": ".github/workflows/other.yml"}, "workflow_path"),
        ({"confirmed": True}, "platform"),
        ({"environment": "release"}, "environment is not environment"),
    ],
)
def test_would_notice_a_fact_that_is_not_its_claim(change: dict[str, object], why: str) -> None:
    said = claims(runner_environment="self-hosted")
    right = facts(runner_environment="self-hosted")

    assert reading.differing_facts("github", said, right) == ""
    assert reading.differing_facts("github", said, {**right, **change}) == why


@pytest.mark.parametrize(
    "change",
    [
        {"repository_id": "4243"},
        {"repository_owner_id": "78"},
        {"event_name": "pull_request"},
        {"iss": "https://other.example"},
        {"job_workflow_ref": "acme/ci/.github/workflows/build.yml@refs/heads/main"},
    ],
)
def test_would_notice_a_publisher_that_matches_a_stranger(change: dict[str, Any]) -> None:
    wanted = {
        "issuer": claims()["iss"],
        "repository_id": "4242",
        "owner_id": "77",
        "workflow_path": ".github/workflows/release.yml",
        "events": ("push",),
    }
    by_name = {**wanted, "repository_id": "", "owner_id": "", "repository": "ACME/Widget"}

    assert reading.is_match("github", claims(), wanted)
    assert not reading.is_match("github", claims(**change), wanted)
    assert reading.is_match("github", claims(repository_id="1"), by_name)
    assert not reading.is_match("github", claims(repository="acme/gadget"), by_name)


def test_would_notice_claims_that_were_not_signed() -> None:
    text = signed(claims(), ec_key())
    token, _ = identify(text, json.dumps(KEYS))

    assert isinstance(token, VerifiedToken)
    assert token.claims == independently(text).claims
    assert replace(token, claims={}).claims != independently(text).claims
