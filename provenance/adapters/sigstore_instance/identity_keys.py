"""The keys of the store's identity issuer: announced first, used afterwards, and then forgotten."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from provenance.adapters.embedded.generations import wait_for_other_creators
from provenance.adapters.embedded.keys import KeyEncryptionKey, SigningKey, open_key, store_key
from provenance.errors import SignerUnavailable
from provenance.models import SealedKey
from provenance.queries import ATTESTOR_IDENTITY, NEXT_ATTESTOR_IDENTITY

# Fulcio asks for the keys again when it meets an unknown one; a proxy may keep what it was given.
ANNOUNCED_FOR: Final = timedelta(minutes=10)


class StoreIdentityKeys:
    """The port over sealed rows."""

    def __init__(self, *, key_file: Path | None) -> None:
        self._key_file = key_file

    def announce(self, *, now: datetime) -> None:
        kek = KeyEncryptionKey.read(self._key_file)
        wait_for_other_creators()
        _open(kek, ATTESTOR_IDENTITY, "no-identity-key")
        if not SealedKey.objects.filter(name=NEXT_ATTESTOR_IDENTITY).exists():
            store_key(kek, NEXT_ATTESTOR_IDENTITY, SigningKey.generate(), now=now)

    def adopt(self, *, now: datetime) -> None:
        kek = KeyEncryptionKey.read(self._key_file)
        wait_for_other_creators()
        row, key = _open(kek, NEXT_ATTESTOR_IDENTITY, "no-key-announced")
        left = row.created_at + ANNOUNCED_FOR - now
        if left > timedelta(0):
            raise SignerUnavailable(
                reason="key-just-announced", retry_after_seconds=int(left.total_seconds()) + 1
            )
        SealedKey.objects.filter(name__in=[ATTESTOR_IDENTITY, NEXT_ATTESTOR_IDENTITY]).delete()
        # A seal is bound to its row's name, so the key is sealed anew.
        store_key(kek, ATTESTOR_IDENTITY, key, now=now)


def _open(kek: KeyEncryptionKey, name: str, absent: str) -> tuple[SealedKey, SigningKey]:
    row = SealedKey.objects.filter(name=name).first()
    if row is None:
        raise SignerUnavailable(reason=absent, key=name)
    return row, open_key(kek, row)
