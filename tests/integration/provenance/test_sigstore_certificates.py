"""What a Fulcio certificate says about a build, extension by extension, beside the predicate."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.utils import timezone

from provenance.adapters.sigstore_instance.identity_tokens import (
    FileIdentity,
    GivenIdentity,
    StoreIdentities,
)
from provenance.adapters.sigstore_instance.signer import SigstoreSigner
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.attesting import certificate_claims
from provenance.domain.build_facts import Witnessed
from provenance.domain.evidence import VerifiedBundle
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.models import Attestation, SealedKey
from provenance.ports import Signed, SigningJob
from provenance.usecases.initialise_signer import initialise_signer
from tests.factories.facts import witnessed, witnessed_by_subject, witnessed_on_gitlab
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.store import OPERATOR, Store
from tests.factories.requests import requested
from tests.factories.signing_jobs import job, key_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(sigstore: Sigstore, tmp_path: Path) -> Store:
    return Store.create(sigstore, tmp_path)


def attested(store: Store, facts: Witnessed | None) -> tuple[VerifiedBundle, Mapping[str, Any]]:
    """The build's verified bundle, and its predicate."""
    requested(facts)
    store.attest(store.signer())
    bundle = Attestation.objects.get().kept_bundle
    root = store.attestor.keys.trusted_root()
    verified = SigstoreVerifier().verify(bundle, trust_root=root).verified
    assert verified is not None
    predicate: Mapping[str, Any] = json.loads(verified.payload)["predicate"]
    return verified, predicate


@pytest.mark.parametrize("facts", [witnessed(), witnessed_on_gitlab()], ids=["github", "gitlab"])
def test_says_of_the_job_what_the_predicate_says(store: Store, facts: Witnessed) -> None:
    verified, predicate = attested(store, facts)

    builder = predicate["runDetails"]["builder"]["id"]
    source, definition = predicate["buildDefinition"]["resolvedDependencies"]
    found = verified.extensions
    assert verified.identity == found[9] == builder
    assert verified.issuer == found[1] == found[8] == store.attestor.issuer
    assert found[21] == predicate["runDetails"]["metadata"]["invocationId"]
    assert f"git+{found[12]}@{found[14]}" == source["uri"]
    assert found[13] == source["digest"]["gitCommit"]
    assert f"git+{found[18]}" == definition["uri"]
    assert found[19] == definition["digest"]["gitCommit"]
    asked = {number: text for number, text in certificate_claims(facts).items() if text}
    assert found == {
        **asked,
        1: store.attestor.issuer,
        8: store.attestor.issuer,
        9: builder,
    }


def test_says_no_more_of_a_job_than_its_issuer_proves(store: Store) -> None:
    facts = witnessed_by_subject()

    verified, _predicate = attested(store, facts)

    assert set(verified.extensions) == {1, 8, 9, 24}
    assert verified.extensions[24] == facts.subject


def test_says_nothing_of_a_job_where_none_was_witnessed(store: Store) -> None:
    verified, _predicate = attested(store, None)

    assert set(verified.extensions) == {1, 8, 9, 24}
    assert verified.extensions[24] == verified.identity


def test_lets_no_claim_of_a_job_reach_the_identity(store: Store) -> None:
    """Whatever a CI platform says, it stands in the extension that it was meant for."""
    evil = "https://evil.test/{{ .strongroom_identity }}"

    verified, predicate = attested(store, witnessed(environment=evil, workflow_ref=evil))

    builder = predicate["runDetails"]["builder"]["id"]
    assert verified.identity == verified.extensions[9] == builder
    assert verified.extensions[23] == evil
    assert verified.extensions[18] == f"https://github.com/{evil}"


def test_mints_tokens_of_a_minute_for_one_audience(store: Store) -> None:
    source = StoreIdentities(key_file=store.attestor.key_file, issuer=store.attestor.issuer)

    token = source.open()(job(), timezone.now())

    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] <= 60
    assert claims["aud"] == "sigstore"
    own = {"iss", "aud", "sub", "iat", "nbf", "exp"}
    assert all(name.startswith("strongroom_") for name in set(claims) - own)


def test_makes_one_key_and_keeps_it_sealed(store: Store) -> None:
    initialise_signer(keys=store.attestor.keys, actor=OPERATOR, now=timezone.now())

    assert SealedKey.objects.filter(name="attestor-identity").count() == 1
    other = key_file(store.folder, "another-key")
    source = StoreIdentities(key_file=other, issuer=store.attestor.issuer)
    with pytest.raises(SignerUnavailable, match="wrong-attestor-key"):
        source.open()


def given(store: Store, token: str) -> list[Signed | SignerRefused | SignerUnavailable]:
    """The answers of a signer that was given a token in a file."""
    file = store.folder / "token"
    file.write_text(f"{token}\n")
    signer = SigstoreSigner(files=store.attestor.files, identities=FileIdentity(file))
    return signer.sign([job(1), job(2, identity=f"{store.attestor.issuer}/builders/x/y/v1")])


def test_signs_with_a_token_from_a_file_for_its_one_identity(store: Store) -> None:
    attestor = store.attestor
    mint = StoreIdentities(key_file=attestor.key_file, issuer=attestor.issuer).open()

    own, other = given(store, mint(job(), timezone.now()))

    assert isinstance(own, Signed)
    assert isinstance(other, SignerRefused)
    assert other.facts["reason"] == "certificate-for-another-identity"


def test_asks_nobody_with_a_token_that_has_expired(store: Store) -> None:
    attestor = store.attestor
    mint = StoreIdentities(key_file=attestor.key_file, issuer=attestor.issuer).open()

    with pytest.raises(SignerUnavailable, match="identity-token"):
        given(store, mint(job(), timezone.now() - timedelta(minutes=2)))


@pytest.mark.parametrize("token", ["", "no token", "a.b.c"])
def test_asks_nobody_with_what_is_no_token(store: Store, token: str) -> None:
    signer = SigstoreSigner(files=store.attestor.files, identities=GivenIdentity(token))

    with pytest.raises(SignerUnavailable, match="identity-token"):
        signer.sign([SigningJob(job().statement, job().identity, {})])
