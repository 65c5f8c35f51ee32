"""A store that signs with a managed key: from upload to verified download, and after the key."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from provenance.queries import signing_keys, trust_state
from provenance.usecases.initialise_signer import initialise_signer
from provenance.usecases.revoke_signing_key import revoke_signing_key
from tests.factories.managed_keys import KeyStore, key_in
from tests.factories.private_sigstore.store import OPERATOR
from tests.journeys.conftest import Answer, Shop

Send = Callable[[str], Answer]


@pytest.fixture
def keyed(shop: Shop, tmp_path: Path) -> Shop:
    """The shop after its operator has changed from the embedded signer to a key."""
    store = KeyStore(key_in(tmp_path), base_url=settings.PUBLIC_URL)
    initialise_signer(keys=store.keys, actor=OPERATOR, now=timezone.now())
    return replace(shop, attestor=replace(shop.attestor, signer=store.signer()))


@pytest.fixture
def send(shop: Shop, curl: Callable[..., Answer], tmp_path: Path) -> Send:
    def sent(name: str) -> Answer:
        (tmp_path / name).write_text(name)
        return curl("-T", str(tmp_path / name), shop.upload_url(name), token=shop.tokens.uploader)

    return sent


def test_serves_what_either_signer_has_signed_until_the_key_is_revoked(
    shop: Shop, keyed: Shop, send: Send, curl: Callable[..., Answer]
) -> None:
    def downloaded(sent: Answer) -> Answer:
        return curl(shop.web.at(sent.json["urls"]["download"]), token=shop.tokens.reader)

    before = send("before")
    shop.attest()
    after = send("after")
    keyed.attest()
    (key,) = signing_keys(version=trust_state().trust_root_version)

    served = [downloaded(one) for one in (before, after)]
    revoke_signing_key(key=key.id, actor=OPERATOR, now=timezone.now())
    old, new = downloaded(before), downloaded(after)

    assert [(one.status, one.body) for one in served] == [(200, b"before"), (200, b"after")]
    assert all(one.headers["strongroom-verification"].startswith("passed") for one in served)
    assert old.status == 200
    assert new.is_problem("policy-not-met")
    assert "key-revoked" in str(new.json)
