"""Every verifier of Sigstore bundles over a rotation of the embedded signer's keys.

One trust root verifies what was signed before and afterwards. What a thief signs with the old keys
after their end is refused by all that hold the log's time against a window.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from django.utils import timezone

from provenance.adapters.embedded.trust_root import trusted_root
from tests.conformance.test_interop import TOOLS, Question, check_installed, documented
from tests.factories.embedded_store import DAY, FIRST_DAY, NEVER, EmbeddedStore
from tests.factories.signing_jobs import statement

pytestmark = pytest.mark.django_db

# It looks for the key that an entry names, and does not ask whether its time was over
# (docs/verifiers.md, "After a rotation").
WITHOUT_ENDS: Final = {"sigstore-python"}


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore.create(tmp_path)


def consumer(folder: Path, bundle: bytes) -> Question:
    """Somebody with the bundle and the trust root of now."""
    folder.mkdir(exist_ok=True)
    (folder / "bundle.json").write_bytes(bundle)
    (folder / "trusted_root.json").write_bytes(trusted_root())
    return Question(folder)


def stolen(store: EmbeddedStore, *, at: datetime) -> bytes:
    """What a thief signs with the keys that the store signs with now."""
    return store.thief().sign(at=at, payload=statement(b"artifact 0"))


@pytest.mark.parametrize("tool", TOOLS)
def test_accepts_old_and_new_bundles_and_no_late_ones(
    store: EmbeddedStore, tmp_path: Path, tool: str
) -> None:
    check_installed(tool)
    command = documented(tool, "embedded")
    old, late = store.sign(), stolen(store, at=timezone.now() + timedelta(minutes=1))
    accepted_before = consumer(tmp_path / "late", late).ask(tool, command)
    store.announce()
    between = trusted_root()
    store.adopt()
    new = store.sign()

    assert accepted_before == ""
    assert consumer(tmp_path / "old", old).ask(tool, command) == ""
    assert consumer(tmp_path / "new", new).ask(tool, command) == ""
    is_refused = consumer(tmp_path / "late", late).ask(tool, command) != ""
    assert is_refused == (tool not in WITHOUT_ENDS)

    announced = consumer(tmp_path / "announced", new)
    (announced.folder / "trusted_root.json").write_bytes(between)
    assert announced.ask(tool, command) == ""


@pytest.mark.parametrize("tool", TOOLS)
def test_refuses_everything_of_keys_that_were_ended_altogether(
    store: EmbeddedStore, tmp_path: Path, tool: str
) -> None:
    check_installed(tool)
    command = documented(tool, "embedded")
    backdated = stolen(store, at=FIRST_DAY + DAY)
    store.announce()
    store.adopt()
    accepted_before = consumer(tmp_path / "backdated", backdated).ask(tool, command)

    store.end(1, until=NEVER)

    assert accepted_before == ""
    assert consumer(tmp_path / "backdated", backdated).ask(tool, command) != ""
    assert consumer(tmp_path / "new", store.sign()).ask(tool, command) == ""


def test_shows_both_windows_to_whoever_reads_the_trust_root(store: EmbeddedStore) -> None:
    store.announce()
    store.adopt()

    root = json.loads(trusted_root())

    for windows in (
        [one["validFor"] for one in root["certificateAuthorities"]],
        [one["publicKey"]["validFor"] for one in root["ctlogs"]],
        [one["publicKey"]["validFor"] for one in root["tlogs"]],
    ):
        old, new = windows
        assert old["start"] < new["start"] < old["end"]
        assert "end" not in new
