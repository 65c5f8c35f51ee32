"""The store as an issuer: its documents, its tokens' claims, and the template that reads them."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import jwt
import pytest

from provenance.adapters.embedded.keys import SigningKey
from provenance.domain import attesting
from provenance.domain.identity_issuer import (
    CLAIMS,
    IDENTITY_CLAIM,
    SUBJECT,
    discovery_document,
    key_id,
    key_set,
    token_claims,
)
from provenance.errors import SignerRefused

ROOT: Final = Path(__file__).resolve().parents[3]
NOW: Final = datetime(2026, 11, 21, 8, tzinfo=UTC)
STORE: Final = "https://store.example.com"
IDENTITY: Final = f"{STORE}/builders/github/hosted-confirmed/v1"


def test_has_a_claim_for_everything_that_certificates_say_of_jobs() -> None:
    numbers = {
        value
        for name, value in vars(attesting).items()
        if name.isupper() and isinstance(value, int)
    }

    assert numbers == {*CLAIMS, SUBJECT}


def test_reads_every_claim_in_the_template_for_operators() -> None:
    text = (ROOT / "deploy" / "fulcio.yaml").read_text()

    templates = set(re.findall(r": (strongroom_\w+)$", text, re.MULTILINE))

    assert templates == {IDENTITY_CLAIM, *CLAIMS.values()}
    assert "default-template-values" not in text
    assert text.count(f": {IDENTITY_CLAIM}\n") == 2  # the name, and the Build Signer URI


def test_says_every_claim_even_where_there_is_nothing_to_say() -> None:
    claims = token_claims(issuer=STORE, identity=IDENTITY, extensions={12: "x"}, now=NOW)

    assert set(CLAIMS.values()) <= set(claims)
    assert claims[CLAIMS[12]] == "x"
    assert claims[CLAIMS[13]] == ""


@pytest.mark.parametrize("number", [1, 7, 8, 9, 10, 25, 99])
def test_refuses_extensions_that_are_not_a_jobs(number: int) -> None:
    with pytest.raises(SignerRefused, match="reserved-extension"):
        token_claims(issuer=STORE, identity=IDENTITY, extensions={number: "x"}, now=NOW)


@pytest.mark.parametrize("identity", ["https://st\u00f6re.test/x", "https://store.test/\n", "\x00"])
def test_refuses_identities_that_a_certificate_would_spell_otherwise(identity: str) -> None:
    with pytest.raises(SignerRefused, match="identity-not-a-uri"):
        token_claims(issuer=STORE, identity=identity, extensions={}, now=NOW)


def test_answers_with_the_key_that_signs() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    token = jwt.encode({"sub": "x"}, key.private, "ES256", headers={"kid": key_id(key.spki)})

    (public,) = jwt.PyJWKSet.from_dict(key_set(key.spki)).keys

    assert public.key_id == jwt.get_unverified_header(token)["kid"]
    assert jwt.decode(token, public, algorithms=["ES256"]) == {"sub": "x"}
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, jwt.PyJWKSet.from_dict(key_set(other.spki)).keys[0], algorithms=["ES256"])


def test_names_itself_and_its_keys_on_its_own_host() -> None:
    document = discovery_document(issuer=STORE)

    assert document["issuer"] == STORE
    assert document["jwks_uri"].startswith(f"{STORE}/")
