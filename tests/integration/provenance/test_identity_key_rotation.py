"""The store's issuer gets another key: it is known before it is used, and old bundles stay good."""

from datetime import datetime, timedelta
from pathlib import Path

import jwt
import pytest
from django.test import Client
from django.utils import timezone

from kernel.audit.models import AuditRecord
from provenance.adapters.sigstore_instance.identity_keys import ANNOUNCED_FOR, StoreIdentityKeys
from provenance.adapters.sigstore_instance.identity_tokens import StoreIdentities
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.identity_issuer import key_id
from provenance.errors import SignerUnavailable
from provenance.models import Attestation, AttestationRequest, RequestState
from provenance.queries import identity_keys
from provenance.usecases.rotate_identity_key import adopt_identity_key, announce_identity_key
from tests.factories.facts import witnessed
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.store import OPERATOR, Store
from tests.factories.requests import requested
from tests.factories.signing_jobs import job, key_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(sigstore: Sigstore, tmp_path: Path) -> Store:
    return Store.create(sigstore, tmp_path)


def keys_of(store: Store) -> StoreIdentityKeys:
    return StoreIdentityKeys(key_file=store.attestor.key_file)


def announce(store: Store, *, now: datetime | None = None) -> None:
    announce_identity_key(keys=keys_of(store), actor=OPERATOR, now=now or timezone.now())


def adopt(store: Store) -> None:
    adopt_identity_key(keys=keys_of(store), actor=OPERATOR, now=timezone.now())


def long_ago() -> datetime:
    return timezone.now() - ANNOUNCED_FOR - timedelta(seconds=1)


def used_key(store: Store) -> str:
    """The name of the key that signs tokens."""
    attestor = store.attestor
    mint = StoreIdentities(key_file=attestor.key_file, issuer=attestor.issuer).open()
    return str(jwt.get_unverified_header(mint(job(), timezone.now()))["kid"])


def attested(store: Store) -> AttestationRequest:
    request = requested(witnessed())
    store.attest(store.signer())
    request.refresh_from_db()
    return request


def test_signs_through_a_rotation(store: Store, sigstore: Sigstore) -> None:
    """Fulcio fetches the documents itself, and certifies under each key in its time."""
    (old,) = identity_keys()
    first = attested(store)
    announce(store, now=long_ago())
    sigstore.issuer.spkis = identity_keys()
    _old, new = identity_keys()
    between = attested(store)
    before = used_key(store)
    adopt(store)
    sigstore.issuer.spkis = identity_keys()
    last = attested(store)

    assert (before, used_key(store)) == (key_id(old), key_id(new))
    assert identity_keys() == [new]
    assert {one.state for one in (first, between, last)} == {RequestState.ATTESTED}
    root = store.attestor.keys.trusted_root()
    for found in Attestation.objects.all():
        assert SigstoreVerifier().verify(found.kept_bundle, trust_root=root).verified


def test_gets_no_certificate_under_a_key_that_was_not_announced(
    store: Store, sigstore: Sigstore
) -> None:
    """What the two steps are for: the documents of a proxy still show the old key alone."""
    shown = identity_keys()
    announce(store, now=long_ago())
    adopt(store)
    sigstore.issuer.spkis = shown

    refused = attested(store)

    assert refused.state == RequestState.PENDING
    assert (refused.last_error or {})["reason"] == "service-refused"


def test_shows_both_keys_between_the_steps(
    store: Store, client: Client, settings: pytest.FixtureRequest
) -> None:
    settings.WEB_ANSWERS_FOR_ATTESTOR = True  # type: ignore[attr-defined]  # pytest-django's own
    announce(store)

    shown = client.get("/.well-known/jwks.json").json()["keys"]

    assert [key["kid"] for key in shown] == [key_id(spki) for spki in identity_keys()]
    assert len(shown) == 2


def test_uses_no_key_that_was_announced_just_now(store: Store) -> None:
    announce(store)

    with pytest.raises(SignerUnavailable, match="key-just-announced") as refused:
        adopt(store)

    assert 0 < int(str(refused.value.facts["retry_after_seconds"])) <= 601
    assert used_key(store) == key_id(identity_keys()[0])


def test_announces_one_key_however_often_it_is_asked(store: Store) -> None:
    announce(store)
    announced = identity_keys()

    announce(store)

    assert identity_keys() == announced


def test_uses_nothing_that_was_not_announced(store: Store) -> None:
    with pytest.raises(SignerUnavailable, match="no-key-announced"):
        adopt(store)


def test_wants_the_workers_key_for_both_steps(store: Store) -> None:
    strange = StoreIdentityKeys(key_file=key_file(store.folder, "strange"))
    with pytest.raises(SignerUnavailable, match="wrong-attestor-key"):
        announce_identity_key(keys=strange, actor=OPERATOR, now=timezone.now())
    announce(store, now=long_ago())

    with pytest.raises(SignerUnavailable, match="wrong-attestor-key"):
        adopt_identity_key(keys=strange, actor=OPERATOR, now=timezone.now())

    assert len(identity_keys()) == 2


def test_tells_who_rotated(store: Store) -> None:
    announce(store, now=long_ago())
    adopt(store)

    told = AuditRecord.objects.filter(action__startswith="identity-key.").order_by("at")
    assert [one.action for one in told] == ["identity-key.announce", "identity-key.adopt"]
    announced, adopted = ([one.facts[when]["keys"] for when in ("before", "after")] for one in told)
    [[first], both], [shown, [left]] = announced, adopted
    assert both == shown
    assert set(both) == {first, left}
