"""The keys of a store that signs with a managed key: all of them are somebody else's to keep."""

from datetime import datetime

from provenance.adapters.embedded.trust_root import embedded_root_if_any
from provenance.adapters.managed_key.holders import KeyHolder
from provenance.adapters.managed_key.signer import Witnesses, listed_key
from provenance.adapters.sigstore_instance.configuration import InstanceFiles, read_trusted_root
from provenance.domain.signing_keys import SigningKey
from provenance.domain.trust_document import joined_roots


class ManagedKeys:
    """The port over a key that a URI names, and over what verifies its witnesses' words."""

    def __init__(
        self, *, holder: KeyHolder, witnesses: Witnesses, files: InstanceFiles, base_url: str
    ) -> None:
        self._holder = holder
        self._witnesses = witnesses
        self._files = files
        self._base_url = base_url

    def create(self, *, now: datetime) -> None:
        """Nothing: keys are made where they are held."""

    def signing_key(self, *, now: datetime) -> SigningKey:
        return listed_key(self._holder.open(), self._witnesses, base_url=self._base_url, now=now)

    def trusted_root(self) -> bytes:
        """What verifies timestamps and entries; the embedded signer's root, if it ever signed."""
        embedded = embedded_root_if_any()
        if self._files.trusted_root is None and not self._witnesses.demands:
            return embedded
        root = read_trusted_root(self._files)
        return joined_roots(root.to_json().encode(), embedded)
