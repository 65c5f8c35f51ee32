"""Every key of the instance is replaced: what was signed before stays verifiable, and no more."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from django.utils import timezone

from provenance.adapters.sigstore_instance.configuration import InstanceFiles
from provenance.adapters.sigstore_instance.signer_keys import SigstoreInstanceKeys
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.models import Attestation, AttestationRequest, RequestState
from provenance.queries import trust_root, trust_state
from provenance.usecases.initialise_signer import initialise_signer
from tests.factories.facts import witnessed
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.instance import Instance, running_instance
from tests.factories.private_sigstore.store import OPERATOR, Store
from tests.factories.requests import requested

pytestmark = pytest.mark.django_db

LATER: Final = timedelta(hours=2)
LISTS: Final = ("certificateAuthorities", "ctlogs", "tlogs", "timestampAuthorities")


@pytest.fixture(scope="module")
def successor(sigstore: Sigstore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """The instance with new keys: an authority, logs and a clock that nobody knows yet."""
    folder = tmp_path_factory.mktemp("successor")
    with running_instance(folder, issuer=sigstore.instance.issuer) as instance:
        yield instance


@pytest.fixture
def store(sigstore: Sigstore, tmp_path: Path) -> Store:
    return Store.create(sigstore, tmp_path)


def both(old: Instance, new: Instance, *, end: datetime) -> bytes:
    """The trusted root of both, in which everything of the old one has an end."""
    before, after = (json.loads(one.trusted_root.read_bytes()) for one in (old, new))
    for name in LISTS:
        for entry in before[name]:
            window: dict[str, Any] = entry.get("publicKey", entry)["validFor"]
            window["end"] = end.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        after[name] = [*before[name], *after[name]]
    return json.dumps(after).encode()


def publish(store: Store, files: InstanceFiles) -> None:
    """What an operator does with `init_signer`."""
    keys = SigstoreInstanceKeys(files=files, key_file=store.attestor.key_file, has_own_issuer=True)
    initialise_signer(keys=keys, actor=OPERATOR, now=timezone.now())


def attested(store: Store, files: InstanceFiles) -> AttestationRequest:
    """A new build, signed with these files."""
    request = requested(witnessed())
    store.attest(store.attestor.signer(files=files))
    request.refresh_from_db()
    return request


def is_verified(request: AttestationRequest) -> bool:
    """With the trust root that is published now."""
    bundle = Attestation.objects.get(request=request).kept_bundle
    root = trust_root(version=trust_state().trust_root_version)
    return SigstoreVerifier().verify(bundle, trust_root=root).verified is not None


def test_believes_old_keys_for_what_they_signed_in_their_time(
    store: Store, successor: Instance, tmp_path: Path
) -> None:
    old = store.attestor.files
    new = InstanceFiles(tmp_path / "both.json", successor.signing_config)
    first = attested(store, old)
    end = timezone.now() + timedelta(seconds=2)
    (tmp_path / "both.json").write_bytes(both(store.attestor.instance, successor, end=end))

    too_early = attested(store, new)
    publish(store, new)
    second = attested(store, new)
    while timezone.now() <= end + timedelta(seconds=1):
        time.sleep(0.1)  # the authority's clock cannot be set
    too_late = attested(store, old)

    assert first.state == second.state == RequestState.ATTESTED
    assert too_early.state == too_late.state == RequestState.PENDING
    # The time is what is verified first; the windows of the others are in the verifier's contract.
    assert (too_early.last_error or {})["reason"] == "no-verified-time"
    assert (too_late.last_error or {})["reason"] == "no-verified-time"
    assert is_verified(first)
    assert is_verified(second)
    store.attest(store.attestor.signer(files=new), after=LATER)
    assert Attestation.objects.count() == 4
