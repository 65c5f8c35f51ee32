"""Checkpoints of the audit trail: one a day, signed by the attestor, for keeping elsewhere."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from config.audit_witness import AttestorReader, AttestorSigner, write_checkpoints
from config.tasks import publish_checkpoint_task
from kernel.actor import ANONYMOUS
from kernel.audit.checkpoint import Checkpoint
from kernel.audit.models import AuditCheckpoint, AuditSeal
from kernel.audit.publish import EVERY, TRIED_EVERY, publish_checkpoint, publish_checkpoint_when_due
from kernel.audit.queries import unsigned_age
from kernel.audit.record import record
from kernel.audit.seal import seal_once
from provenance import wiring
from provenance.adapters.embedded.rotation import EmbeddedGenerations
from provenance.errors import SignerUnavailable
from provenance.queries import trust_root, trust_state
from provenance.usecases.attest_builds import Attestor
from provenance.usecases.start_new_log import start_new_log
from tests.factories.actors import administrator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def signer(attestor: Attestor) -> AttestorSigner:
    return AttestorSigner(signer=attestor.signer, base_url=settings.PUBLIC_URL)


@pytest.fixture
def reader(attestor: Attestor) -> AttestorReader:
    return AttestorReader(verifier=attestor.verifier, base_url=settings.PUBLIC_URL)


def sealed(now: datetime) -> None:
    record(ANONYMOUS, "test", "thing", now=now)
    while seal_once(now=now):
        pass


def test_signs_the_newest_seal(
    signer: AttestorSigner, reader: AttestorReader, now: datetime
) -> None:
    assert publish_checkpoint(signer=signer, now=now) is None
    sealed(now)
    made = publish_checkpoint(signer=signer, now=now)

    seal = AuditSeal.objects.get()
    assert made is not None
    assert reader.read(bytes(made.bundle)) == Checkpoint(1, seal.number, seal.sha256, now)
    assert b"\n" not in made.bundle
    assert publish_checkpoint(signer=signer, now=now) is not None
    assert [one.number for one in AuditCheckpoint.objects.order_by("number")] == [1, 2]


def test_signs_once_a_day(signer: AttestorSigner, now: datetime) -> None:
    assert unsigned_age(now=now) == timedelta(0)
    sealed(now)
    assert unsigned_age(now=now + EVERY) == EVERY

    for hours in (0, 1, 23, 24, 25):
        publish_checkpoint_when_due(signer=signer, now=now + timedelta(hours=hours))

    made = AuditCheckpoint.objects.order_by("number").values_list("made_at", flat=True)
    assert list(made) == [now, now + EVERY]
    assert unsigned_age(now=now + EVERY + EVERY) == EVERY


class Unavailable:
    """A signer that cannot sign, and counts who asked."""

    def __init__(self) -> None:
        self.asked = 0

    def sign(self, _checkpoint: Checkpoint) -> bytes:
        self.asked += 1
        raise SignerUnavailable(reason="no-attestor-key")


def test_tries_again_after_five_minutes(now: datetime) -> None:
    sealed(now)
    signer = Unavailable()

    for wait in (timedelta(0), TRIED_EVERY):
        for seconds in (0, 15, 30):
            at = now + wait + timedelta(seconds=seconds)
            try:
                publish_checkpoint_when_due(signer=signer, now=at)
            except SignerUnavailable:
                assert seconds == 0

    assert signer.asked == 2
    assert not AuditCheckpoint.objects.exists()


def test_stays_readable_after_the_keys_were_changed(
    signer: AttestorSigner, reader: AttestorReader, attestor_key_file: Path, now: datetime
) -> None:
    """With the trust root of then, kept elsewhere, too: it knows no later key."""
    sealed(now)
    publish_checkpoint(signer=signer, now=now)
    old_root = trust_root(version=trust_state().trust_root_version)

    generations = EmbeddedGenerations(key_file=attestor_key_file, base_url=settings.PUBLIC_URL)
    start_new_log(generations=generations, actor=administrator(), now=timezone.now())
    publish_checkpoint(signer=signer, now=timezone.now())

    old, new = (bytes(one.bundle) for one in AuditCheckpoint.objects.order_by("number"))
    assert (reader.read(old).number, reader.read(new).number) == (1, 2)
    pinned = AttestorReader(
        verifier=wiring.verifier(), base_url=settings.PUBLIC_URL, trust_root=old_root
    )
    assert pinned.read(old).number == 1


def test_writes_files_that_an_operator_keeps(
    signer: AttestorSigner, tmp_path: Path, now: datetime
) -> None:
    sealed(now)
    for _ in range(2):
        publish_checkpoint(signer=signer, now=now)
    folder = tmp_path / "kept"
    folder.mkdir()
    write_checkpoints(folder)
    first = folder / "checkpoint-00000001.json"
    first.write_text("kept as it is")
    publish_checkpoint(signer=signer, now=now)
    write_checkpoints(folder)

    assert sorted(file.name for file in folder.iterdir()) == [
        f"checkpoint-0000000{number}.json" for number in (1, 2, 3)
    ]
    assert first.read_text() == "kept as it is"
    newest = AuditCheckpoint.objects.get(number=3)
    assert (folder / "checkpoint-00000003.json").read_bytes() == bytes(newest.bundle) + b"\n"


def test_signs_and_writes_in_the_worker(
    attestor: Attestor, attestor_key_file: Path, tmp_path: Path, caplog: Any, now: datetime
) -> None:
    assert attestor.base_url == settings.PUBLIC_URL
    sealed(now)
    folder = tmp_path / "kept"
    wiring.signer.cache_clear()
    with override_settings(ATTESTOR_KEY_FILE=attestor_key_file, AUDIT_CHECKPOINT_DIRECTORY=folder):
        publish_checkpoint_task()
        assert "audit checkpoints not written" in caplog.text
        folder.mkdir()
        publish_checkpoint_task()
    wiring.signer.cache_clear()

    assert AuditCheckpoint.objects.count() == 1
    assert [file.name for file in folder.iterdir()] == ["checkpoint-00000001.json"]


def test_signs_on_the_command_line(
    attestor: Attestor,
    attestor_key_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    now: datetime,
) -> None:
    assert attestor.base_url == settings.PUBLIC_URL
    wiring.signer.cache_clear()
    with override_settings(ATTESTOR_KEY_FILE=attestor_key_file):
        with pytest.raises(CommandError, match="nothing is sealed yet"):
            call_command("audit", "checkpoint")
        sealed(now)
        call_command("audit", "checkpoint")
    wiring.signer.cache_clear()
    kept = tmp_path / "kept.jsonl"
    kept.write_text(capsys.readouterr().out)

    call_command("audit", "verify", f"--checkpoints={kept}")

    assert "signed checkpoints agree, the newest with the last seal" in capsys.readouterr().out
