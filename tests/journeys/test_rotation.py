"""A consumer over a rotation of the store's keys: decides once, and never waits for a file."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from provenance.adapters.embedded.rotation import EmbeddedGenerations
from provenance.usecases.end_signer_keys import end_signer_keys
from provenance.usecases.rotate_signer_keys import adopt_signer_keys, announce_signer_keys
from tests.factories.actors import administrator
from tests.factories.facts import witnessed
from tests.journeys.conftest import Shop
from tests.journeys.consumer import Machine, Scene, expectations_of, pinned, publish, root

LATER = "dist/later.bin"


@pytest.fixture
def scene(shop: Shop, tmp_path: Path) -> Iterator[Scene]:
    with pinned(shop, tmp_path) as ready:
        yield ready


@pytest.fixture
def keys(scene: Scene, tmp_path: Path) -> EmbeddedGenerations:
    """Those of the store that the consumer has pinned."""
    assert scene.machine.folder == tmp_path
    return EmbeddedGenerations(key_file=tmp_path / "attestor.key", base_url=settings.PUBLIC_URL)


def announce(keys: EmbeddedGenerations) -> None:
    """Two days ago, for yesterday."""
    announce_signer_keys(
        generations=keys,
        notice=timedelta(days=1),
        actor=administrator(),
        now=timezone.now() - timedelta(days=2),
    )


def adopt(keys: EmbeddedGenerations) -> None:
    adopt_signer_keys(generations=keys, actor=administrator(), now=timezone.now())


def another_machine(scene: Scene) -> Machine:
    """A consumer who has pinned the same, and takes nothing over."""
    folder = scene.machine.folder / "late"
    (folder / "work").mkdir(parents=True)
    machine = replace(scene.machine, folder=folder)
    machine.pin(policy=expectations_of(machine))
    return machine


def test_pulls_old_and_new_files_with_the_trust_root_of_the_announcement(
    scene: Scene, keys: EmbeddedGenerations
) -> None:
    late = another_machine(scene)
    announce(keys)
    shown = scene.machine.run("trust")
    scene.machine.run("trust", "--update", "--trust-root-sha256", sha256(root()).hexdigest())
    adopt(keys)
    publish(scene.shop, {LATER: b"signed with the next keys"}, witnessed(run_id="2"))

    old, new = scene.pull(), scene.pull(LATER)
    too_late = late.run("pull", LATER, "-o", f"{late.at('')}/")

    assert (shown.code, "keys were only added or ended" in shown.err) == (1, True)
    assert shown.err.count("+ ") == 3
    assert (old.code, new.code) == (0, 0)
    assert (too_late.code, late.files()) == (1, {})
    assert "strongroom trust" in too_late.err


def test_is_told_that_keys_went_when_they_leaked(scene: Scene, keys: EmbeddedGenerations) -> None:
    end_signer_keys(
        generations=keys,
        generation=1,
        until=timezone.now() - timedelta(days=365),
        actor=administrator(),
        now=timezone.now(),
    )

    by_the_store = scene.pull()
    shown = scene.machine.run("trust")
    taken = scene.machine.run(
        "trust", "--update", "--trust-root-sha256", sha256(root()).hexdigest()
    )
    publish(scene.shop, {LATER: b"signed with other keys"}, witnessed(run_id="2"))
    new = scene.pull(LATER)

    assert (by_the_store.code, "policy-not-met" in by_the_store.err) == (1, True)
    assert "KEYS WERE REPLACED" in shown.err
    assert (taken.code, new.code) == (0, 0)
