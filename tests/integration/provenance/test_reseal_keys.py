"""The store's keys under another key-encryption key: all of them or none, and the same keys."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from django.core.management import CommandError, call_command

from kernel.audit.models import AuditRecord
from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.trust_root import trusted_root
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.errors import SignerUnavailable
from provenance.models import SealedKey
from provenance.ports import Signed
from tests.factories.signing_jobs import STORE, created_keys, job, key_file

ROOT: Final = Path(__file__).resolve().parents[3]


def resealed(old: Path, new: Path, **environment: str) -> int:
    """Run the command in a process of its own; its status."""
    finished = subprocess.run(
        [sys.executable, "manage.py", "reseal_keys", str(new)],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "STRONGROOM_ATTESTOR_KEY_FILE": str(old),
            **environment,
        },
        check=False,
        timeout=60,
        capture_output=True,
    )
    return finished.returncode


def signs(file: Path) -> bool:
    """Whether a signer with this file signs what the trust root verifies."""
    (answer,) = EmbeddedSigner(key_file=file, issuer=STORE).sign([job()])
    assert isinstance(answer, Signed)
    verified = SigstoreVerifier().verify(answer.bundle, trust_root=trusted_root()).verified
    return verified is not None


def seals() -> dict[str, bytes]:
    return {row.name: bytes(row.sealed) for row in SealedKey.objects.all()}


@pytest.mark.django_db(transaction=True)
def test_signs_with_the_same_keys_under_another_file(tmp_path: Path) -> None:
    old, new = created_keys(tmp_path), key_file(tmp_path, "new")
    before = trusted_root()

    first, second = resealed(old, new), resealed(old, new)

    assert (first, second) == (0, 0)
    assert signs(new)
    with pytest.raises(SignerUnavailable, match="wrong-attestor-key"):
        signs(old)
    assert trusted_root() == before
    told = AuditRecord.objects.get(action="signer-keys.reseal").facts
    assert told["before"]["under_the_old_key"] == told["after"]["under_the_new_key"] > 0


@pytest.mark.django_db(transaction=True)
def test_seals_all_or_none_when_it_is_killed(tmp_path: Path) -> None:
    old, new, trigger = created_keys(tmp_path), key_file(tmp_path, "new"), tmp_path / "trigger"
    before = seals()
    trigger.touch()

    killed = resealed(old, new, STRONGROOM_FAULT_POINTS=f"provenance.resealed={trigger}")
    after = seals()
    still_signs = signs(old)
    again = resealed(old, new)

    assert (killed, again) == (-signal.SIGKILL, 0)
    assert after == before
    assert still_signs
    assert signs(new)


@pytest.mark.django_db
def test_changes_nothing_with_a_file_that_is_not_the_old_key(
    tmp_path: Path, settings: pytest.FixtureRequest
) -> None:
    created_keys(tmp_path)
    before = seals()
    settings.ATTESTOR_KEY_FILE = key_file(tmp_path, "another")  # type: ignore[attr-defined]  # pytest-django's own object

    with pytest.raises(CommandError, match="wrong-attestor-key"):
        call_command("reseal_keys", key_file(tmp_path, "new"))

    assert seals() == before
