"""The keys that a store with a Sigstore instance keeps itself: its identity issuer's, no other."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from provenance.adapters.embedded.generations import wait_for_other_creators
from provenance.adapters.embedded.keys import KeyEncryptionKey
from provenance.adapters.embedded.trust_root import trusted_root
from provenance.adapters.sigstore_instance.configuration import InstanceFiles, read_trusted_root
from provenance.adapters.sigstore_instance.identity_tokens import create_identity_key
from provenance.errors import SignerUnavailable, TrustRootMissing

_LISTS: Final = ("certificateAuthorities", "ctlogs", "tlogs", "timestampAuthorities")


class SigstoreInstanceKeys:
    """The port over the instance's trusted root and, with an issuer of our own, its key."""

    def __init__(
        self, *, files: InstanceFiles, key_file: Path | None, has_own_issuer: bool
    ) -> None:
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

    def start_new_log(self, *, now: datetime) -> None:  # noqa: ARG002 - the port's signature
        raise SignerUnavailable(reason="not-our-log", expected="STRONGROOM_SIGNER=embedded")

    def trusted_root(self) -> bytes:
        """The instance's root, and beside it the embedded signer's of a store that changed over.

        What the embedded signer has signed stays verifiable.
        """
        instance: dict[str, Any] = json.loads(read_trusted_root(self._files).to_json())
        try:
            embedded: dict[str, Any] = json.loads(trusted_root())
        except TrustRootMissing:
            embedded = {}
        for name in _LISTS:
            instance[name] = [*instance.get(name, []), *embedded.get(name, [])]
        return json.dumps(instance, indent=2, sort_keys=True).encode()
