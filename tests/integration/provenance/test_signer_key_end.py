"""Keys of the embedded signer that leaked: ended at a moment or altogether, and others sign."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from django.utils import timezone

from provenance.adapters.joined_keys import JoinedKeys
from provenance.adapters.trusted_keys import contested_keys
from provenance.domain.evidence import StepName
from provenance.errors import RotationRefused
from provenance.models import SealedKey
from provenance.queries import signer_generations
from provenance.usecases.end_signer_keys import Ended
from provenance.usecases.initialise_signer import initialise_signer
from provenance.usecases.refresh_trust_root import Refreshed, refresh_trust_root
from tests.factories.actors import administrator
from tests.factories.embedded_store import (
    DAY,
    FIRST_DAY,
    NEVER,
    EmbeddedStore,
    KeysElsewhere,
    failed_step,
    published,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore.create(tmp_path)


def test_believes_old_keys_that_are_dated_back_until_they_are_ended_altogether(
    store: EmbeddedStore,
) -> None:
    """What no end of a window can do, and why `end --never` exists."""
    thief = store.thief()
    store.rotate()

    backdated = thief.sign(at=FIRST_DAY + DAY, payload=b"backdated")
    believed = failed_step(backdated)
    store.end(1, until=NEVER)

    assert believed is None
    assert failed_step(backdated) is StepName.CHAIN


def test_ends_used_keys_at_a_moment_and_signs_with_others_at_once(store: EmbeddedStore) -> None:
    old = store.sign()
    leaked = timezone.now() - 2 * DAY
    early = store.thief().sign(at=leaked - DAY, payload=b"before the leak")

    ended = store.end(1, until=leaked)
    new = store.sign()

    assert ended == Ended(version=2, not_believed=1)
    assert failed_step(old) is StepName.CHAIN
    assert failed_step(early) is None
    assert failed_step(new) is None


def test_believes_nothing_of_keys_that_ended_before_they_began(store: EmbeddedStore) -> None:
    old = store.sign()

    ended = store.end(1, until=NEVER)

    assert ended.not_believed == 1
    assert failed_step(old) is StepName.CHAIN
    assert failed_step(store.sign()) is None
    assert published().count(b'"baseUrl"') == 2  # the two logs of the generation that signs


def test_ends_retired_keys_earlier_and_never_later(store: EmbeddedStore) -> None:
    old = store.sign()
    store.rotate()

    store.end(1, until=timezone.now())
    kept = failed_step(old)
    store.end(1, until=FIRST_DAY + DAY)
    refused = failed_step(old)
    store.end(1, until=timezone.now())

    assert kept is None
    assert refused is StepName.CHAIN
    assert failed_step(old) is StepName.CHAIN
    assert signer_generations()[0].believed_until == FIRST_DAY + DAY


def test_changes_nothing_when_keys_are_ended_again(store: EmbeddedStore) -> None:
    until = timezone.now() - DAY
    first = store.end(1, until=until)
    root = published()

    again = store.end(1, until=until)

    assert again == first
    assert published() == root
    assert len(signer_generations()) == 2


def test_withdraws_announced_keys_together_with_those_that_leaked(store: EmbeddedStore) -> None:
    """They lay in the same rows under the same key-encryption key."""
    store.announce(at=timezone.now())
    (waiting,) = [bytes(row.public) for row in SealedKey.objects.filter(name="log-2")]

    store.end(1, until=timezone.now())

    assert [one.is_announced for one in signer_generations()] == [False, False]
    assert bytes(SealedKey.objects.get(name="log-2").public) != waiting


def test_withdraws_announced_keys_alone(store: EmbeddedStore) -> None:
    before = published()
    store.announce(at=timezone.now())

    store.end(2, until=timezone.now())

    assert published() == before
    assert failed_step(store.sign()) is None
    assert not SealedKey.objects.filter(name__endswith="-2").exists()


def test_ends_nothing_that_is_not_there_and_nothing_in_advance(store: EmbeddedStore) -> None:
    with pytest.raises(RotationRefused, match="no-such-generation"):
        store.end(7, until=timezone.now())
    with pytest.raises(RotationRefused, match="end-to-come"):
        store.end(1, until=timezone.now() + DAY)

    assert signer_generations()[0].believed_until is None


def test_is_not_undone_by_a_trust_root_that_was_read_before(store: EmbeddedStore) -> None:
    """A worker that follows another instance has read the rows, and publishes a moment later."""
    old, keys = store.sign(), JoinedKeys(store.keys, [KeysElsewhere()])

    def ended_meanwhile(current: bytes, proposed: bytes, *, now: datetime) -> tuple[str, ...]:
        assert len(current) < len(proposed)
        store.end(1, until=min(NEVER, now))
        return ()

    late = refresh_trust_root(
        keys=keys, contested_keys=ended_meanwhile, actor=administrator(), clock=timezone.now
    )
    refused = failed_step(old)
    followed = refresh_trust_root(
        keys=keys, contested_keys=contested_keys, actor=administrator(), clock=timezone.now
    )

    assert (late, followed) == (Refreshed(2), Refreshed(3))
    assert refused is StepName.CHAIN
    assert failed_step(old) is StepName.CHAIN


def test_leaves_the_keys_of_others_as_they_were_published(store: EmbeddedStore) -> None:
    elsewhere = KeysElsewhere()
    keys = JoinedKeys(store.keys, [elsewhere])
    initialise_signer(keys=keys, actor=administrator(), now=timezone.now())

    store.rotate()
    store.end(1, until=NEVER)

    theirs = json.loads(elsewhere.root)
    assert all(theirs[name][0] in json.loads(published())[name] for name in ("tlogs", "ctlogs"))
    assert published() == keys.trusted_root()
