"""The keys that a store with a Sigstore instance keeps itself: its identity issuer's, no other."""

from datetime import datetime
from pathlib import Path

from django.db import transaction

from provenance.adapters.embedded.generations import wait_for_other_creators
from provenance.adapters.embedded.keys import KeyEncryptionKey
from provenance.adapters.embedded.trust_root import embedded_root_if_any
from provenance.adapters.sigstore_instance.configuration import Description, read_trusted_root
from provenance.adapters.sigstore_instance.identity_tokens import create_identity_key
from provenance.domain.trust_document import joined_roots


class SigstoreInstanceKeys:
    """The port over the instance's trusted root and, with an issuer of our own, its key."""

    def __init__(self, *, files: Description, key_file: Path | None, has_own_issuer: bool) -> None:
        self._files = files
        self._key_file = key_file
        self._has_own_issuer = has_own_issuer

    def create(self, *, now: datetime) -> None:
        if not self._has_own_issuer:
            return
        kek = KeyEncryptionKey.read(self._key_file)
        with transaction.atomic(durable=True):
            wait_for_other_creators()
            create_identity_key(kek, now=now)

    def signing_key(self, *, now: datetime) -> None:  # noqa: ARG002 - the port's signature
        return None

    def trusted_root(self) -> bytes:
        """The instance's root, and beside it the embedded signer's of a store that changed over.

        What the embedded signer has signed stays verifiable.
        """
        instance = read_trusted_root(self._files).to_json().encode()
        return joined_roots(instance, embedded_root_if_any())
