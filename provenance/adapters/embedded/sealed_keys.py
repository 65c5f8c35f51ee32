"""Every key that the store keeps itself, from under one key-encryption key to under another."""

from pathlib import Path

from provenance.adapters.embedded.generations import wait_for_other_creators
from provenance.adapters.embedded.keys import KeyEncryptionKey, open_key
from provenance.errors import SignerUnavailable
from provenance.models import SealedKey


class StoreSealedKeys:
    """The port over sealed rows, with the files of both key-encryption keys."""

    def __init__(self, *, key_file: Path | None, new_key_file: Path) -> None:
        self._key_file = key_file
        self._new_key_file = new_key_file

    def reseal(self) -> int:
        old = KeyEncryptionKey.read(self._key_file)
        new = KeyEncryptionKey.read(self._new_key_file)
        wait_for_other_creators()
        rows = SealedKey.objects.select_for_update().order_by("name")
        return sum(_reseal(row, old, new) for row in rows)


def _reseal(row: SealedKey, old: KeyEncryptionKey, new: KeyEncryptionKey) -> bool:
    """Whether it had to be: after an earlier run the row lies under the new key."""
    if _opens(new, row):
        return False
    open_key(old, row)
    row.sealed = new.seal(row.name, old.unseal(row.name, bytes(row.sealed)))
    open_key(new, row)  # what did not open again would be lost together with the old key
    row.save(update_fields=["sealed"])
    return True


def _opens(key: KeyEncryptionKey, row: SealedKey) -> bool:
    try:
        open_key(key, row)
    except SignerUnavailable:
        return False
    return True
