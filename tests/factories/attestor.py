"""A store that can sign and verify: the real signer and verifier with keys of their own."""

import base64
import os
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.signer_keys import EmbeddedSignerKeys
from provenance.usecases.attest_builds import Attestor
from provenance.usecases.initialise_signer import initialise_signer
from provenance.wiring import verifier
from tests.factories.actors import administrator


def new_attestor(folder: Path) -> Attestor:
    """Make keys, publish the trust root, and give what `attest_builds` needs."""
    key_file = folder / "attestor.key"
    key_file.write_bytes(base64.b64encode(os.urandom(32)))
    initialise_signer(
        keys=EmbeddedSignerKeys(key_file=key_file, base_url=settings.PUBLIC_URL),
        actor=administrator(),
        now=timezone.now(),
    )
    signer = EmbeddedSigner(key_file=key_file, issuer=settings.PUBLIC_URL)
    return Attestor(signer=signer, verifier=verifier(), base_url=settings.PUBLIC_URL)
