"""An instance that a TUF repository describes: followed, kept, and never believed too much."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from kernel.actor import Actor
from kernel.audit.models import AuditRecord
from provenance.adapters.sigstore_instance.signer_keys import SigstoreInstanceKeys
from provenance.adapters.sigstore_instance.tuf_repository import (
    FRESH_FOR,
    SIGNING_CONFIG,
    TRUSTED_ROOT,
    TufDescription,
)
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.adapters.trusted_keys import contested_keys
from provenance.errors import SignerUnavailable, TrustRootMissing
from provenance.models import Attestation, RequestState
from provenance.queries import trust_root, trust_state
from provenance.usecases.initialise_signer import initialise_signer
from provenance.usecases.refresh_trust_root import Refreshed, refresh_trust_root
from tests.factories.facts import witnessed
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.store import OPERATOR, Store
from tests.factories.requests import requested
from tests.factories.tuf_repository import Mirror, TufRepository, new_keys, running_mirror

pytestmark = pytest.mark.django_db

FOLLOWER = Actor("trust-root.follow", frozenset())


@dataclass
class Followed:
    """An instance, its repository, the mirror, and a worker's folder and clocks."""

    sigstore: Sigstore
    folder: Path
    repository: TufRepository
    mirror: Mirror
    later: timedelta = timedelta(0)
    seconds: float = 0
    documents: dict[str, bytes] = field(default_factory=dict)

    def now(self) -> datetime:
        return timezone.now() + self.later

    def description(self, *, cache: str = "cache", root: Path | None = None) -> TufDescription:
        """As a process sees it that has just started."""
        return TufDescription(
            url=self.mirror.url,
            root=root or self.repository.first_root,
            cache=self.folder / cache,
            clock=self.now,
            monotonic=lambda: self.seconds,
        )

    def publish(self, *, expires: datetime | None = None, **changed: bytes) -> None:
        self.documents |= changed
        names = {"trusted_root": TRUSTED_ROOT, "signing_config": SIGNING_CONFIG}
        targets = {names[one]: content for one, content in self.documents.items()}
        self.repository.publish(targets, expires=expires)

    def root_with(self, change: str) -> bytes:
        """The instance's trusted root, with its log's key changed so."""
        document: dict[str, Any] = json.loads(self.documents["trusted_root"])
        window = document["tlogs"][0]["publicKey"]["validFor"]
        end = self.now() + (timedelta(days=1) if change == "ends" else -timedelta(minutes=1))
        if change == "gone":
            document["tlogs"] = []
        elif change == "begins-later":
            window["start"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
        else:
            window["end"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
        return json.dumps(document).encode()


@pytest.fixture
def followed(sigstore: Sigstore, tmp_path: Path) -> Iterator[Followed]:
    instance = sigstore.instance
    documents = {
        "trusted_root": instance.trusted_root.read_bytes(),
        "signing_config": instance.signing_config.read_bytes(),
    }
    repository = TufRepository(tmp_path / "repository")
    repository.start(
        {TRUSTED_ROOT: documents["trusted_root"], SIGNING_CONFIG: documents["signing_config"]}
    )
    with running_mirror(repository.folder) as mirror:
        yield Followed(sigstore, tmp_path, repository, mirror, documents=documents)


def refused(description: TufDescription) -> str:
    with pytest.raises(SignerUnavailable) as caught:
        description.read_trusted_root()
    return str(caught.value.facts["reason"])


def test_signs_with_what_a_repository_describes(followed: Followed, tmp_path: Path) -> None:
    store = Store.create(followed.sigstore, tmp_path)
    request = requested(witnessed())

    store.attest(store.attestor.signer(files=followed.description()))

    request.refresh_from_db()
    assert request.state == RequestState.ATTESTED


def test_asks_once_an_hour(followed: Followed) -> None:
    description = followed.description()

    description.read_trusted_root()
    first = followed.mirror.asked
    description.read_signing_config()
    followed.description().read_trusted_root()
    assert followed.mirror.asked == first > 0
    followed.later = FRESH_FOR
    description.read_trusted_root()

    assert followed.mirror.asked > first


def test_starts_without_the_mirror_from_what_was_kept(followed: Followed) -> None:
    followed.description().read_trusted_root()
    followed.mirror.folder = None
    followed.later = FRESH_FOR

    found = followed.description().read_trusted_root()

    assert found.content == followed.documents["trusted_root"]


def test_asks_a_mirror_that_is_away_once_a_minute(followed: Followed) -> None:
    description = followed.description()
    description.read_trusted_root()
    followed.mirror.folder, followed.later = None, FRESH_FOR
    description.read_trusted_root()
    asked = followed.mirror.asked

    description.read_trusted_root()
    assert followed.mirror.asked == asked
    followed.seconds = 61
    description.read_trusted_root()

    assert followed.mirror.asked > asked


def test_signs_nothing_with_what_has_expired(followed: Followed, tmp_path: Path) -> None:
    """Who holds the mirror back would keep the store with keys that were taken back."""
    store = Store.create(followed.sigstore, tmp_path)
    description = followed.description()
    description.read_trusted_root()
    followed.mirror.folder, followed.later = None, timedelta(days=1, minutes=1)
    request = requested(witnessed())

    store.attest(store.attestor.signer(files=description))

    request.refresh_from_db()
    assert request.state == RequestState.PENDING
    assert (request.last_error or {})["reason"] == "tuf-metadata-expired"


def test_goes_on_when_the_mirror_is_back(followed: Followed) -> None:
    description = followed.description()
    description.read_trusted_root()
    followed.later = timedelta(days=1, minutes=1)
    followed.mirror.folder = None
    assert refused(description) == "tuf-metadata-expired"

    followed.mirror.folder = followed.repository.folder
    followed.later = timedelta(0)
    followed.publish(signing_config=followed.documents["signing_config"] + b"\n")
    followed.seconds, followed.later = 61, FRESH_FOR

    assert description.read_signing_config().content.endswith(b"\n")


def test_has_nothing_without_the_mirror_and_a_cache(followed: Followed) -> None:
    followed.mirror.folder = None

    assert refused(followed.description()) == "tuf-not-reachable"


def test_believes_no_repository_of_another_root(followed: Followed) -> None:
    """The operator's first root decides, whoever answers at the address."""
    stranger = TufRepository(followed.folder / "stranger")
    stranger.start({TRUSTED_ROOT: b"{}", SIGNING_CONFIG: b"{}"})
    followed.mirror.folder = stranger.folder

    assert refused(followed.description()) == "tuf-not-believed"
    followed.mirror.folder = followed.repository.folder
    assert refused(followed.description(cache="b", root=stranger.first_root)) == "tuf-not-believed"


def test_keeps_what_it_has_of_a_repository_that_was_taken_over(followed: Followed) -> None:
    description = followed.description()
    before = description.read_trusted_root().content
    followed.repository.keys = new_keys()
    followed.publish(trusted_root=b'{"evil": true}')
    followed.later = FRESH_FOR

    assert description.read_trusted_root().content == before
    with pytest.raises(SignerUnavailable, match="tuf-not-believed"):
        description.refresh()


def test_believes_no_older_version_than_it_has_seen(followed: Followed) -> None:
    old = followed.folder / "old"
    shutil.copytree(followed.repository.folder, old)
    followed.publish(signing_config=followed.documents["signing_config"] + b"\n")
    description = followed.description()
    new = description.read_signing_config().content

    followed.mirror.folder, followed.later = old, FRESH_FOR

    with pytest.raises(SignerUnavailable, match="tuf-not-believed"):
        description.refresh()
    assert followed.description().read_signing_config().content == new


def test_believes_no_metadata_that_has_expired(followed: Followed) -> None:
    followed.publish(expires=timezone.now() - timedelta(minutes=1))

    assert refused(followed.description()) == "tuf-not-believed"


def test_believes_no_target_that_is_not_what_was_signed(followed: Followed) -> None:
    for file in (followed.repository.folder / "targets").iterdir():
        file.write_bytes(file.read_bytes().replace(b"sigstore", b"sigst0re"))

    assert refused(followed.description()) == "tuf-not-believed"


def test_wants_both_documents(followed: Followed) -> None:
    followed.repository.publish({TRUSTED_ROOT: followed.documents["trusted_root"]})

    assert refused(followed.description()) == "tuf-not-believed"


def test_follows_the_keys_of_the_repository_itself(followed: Followed) -> None:
    description = followed.description()
    description.read_trusted_root()
    followed.repository.rotate_keys()
    followed.publish(signing_config=followed.documents["signing_config"] + b"\n")
    followed.later = FRESH_FOR

    assert description.read_signing_config().content.endswith(b"\n")


def keys_of(followed: Followed) -> SigstoreInstanceKeys:
    return SigstoreInstanceKeys(files=followed.description(), key_file=None, has_own_issuer=False)


def refresh(followed: Followed) -> Refreshed:
    return refresh_trust_root(
        keys=keys_of(followed), contested_keys=contested_keys, actor=FOLLOWER, clock=timezone.now
    )


def test_publishes_no_first_root_by_itself(followed: Followed) -> None:
    with pytest.raises(TrustRootMissing):
        refresh(followed)


def test_publishes_an_end_before_it_comes(followed: Followed) -> None:
    first = initialise_signer(keys=keys_of(followed), actor=OPERATOR, now=timezone.now())
    assert refresh(followed) == Refreshed(first)

    followed.publish(trusted_root=followed.root_with("ends"))
    followed.later = FRESH_FOR
    refreshed = refresh(followed)

    assert refreshed == Refreshed(first + 1)
    published = json.loads(trust_root(version=trust_state().trust_root_version))
    assert published["tlogs"][0]["publicKey"]["validFor"]["end"]
    assert AuditRecord.objects.filter(actor=FOLLOWER.name, action="trust-root.publish").exists()


def test_lets_no_older_description_of_another_worker_take_an_end_back(
    followed: Followed,
) -> None:
    initialise_signer(keys=keys_of(followed), actor=OPERATOR, now=timezone.now())
    older = SigstoreInstanceKeys(
        files=followed.description(cache="another"), key_file=None, has_own_issuer=False
    )
    older.trusted_root()
    followed.publish(trusted_root=followed.root_with("ends"))
    followed.later = FRESH_FOR
    newest = refresh(followed)
    followed.later = timedelta(0)

    again = refresh_trust_root(
        keys=older, contested_keys=contested_keys, actor=FOLLOWER, clock=timezone.now
    )

    assert again.version == newest.version
    assert "signature log" in " ".join(again.contested)


@pytest.mark.parametrize("change", ["gone", "begins-later", "ended"])
def test_leaves_it_to_an_operator_to_take_trust_back(
    followed: Followed, tmp_path: Path, change: str
) -> None:
    store = Store.create(followed.sigstore, tmp_path)
    requested(witnessed())
    store.attest(store.signer())
    first = initialise_signer(keys=keys_of(followed), actor=OPERATOR, now=timezone.now())

    followed.publish(trusted_root=followed.root_with(change))
    followed.later = FRESH_FOR
    refreshed = refresh(followed)

    assert refreshed.version == first
    assert "signature log" in " ".join(refreshed.contested)
    bundle, root = Attestation.objects.get().kept_bundle, trust_root(version=first)
    assert SigstoreVerifier().verify(bundle, trust_root=root).verified is not None
    assert initialise_signer(keys=keys_of(followed), actor=OPERATOR, now=timezone.now()) > first
