"""The store's own attestor with real keys, for tests that need signed things."""

import base64
import os
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from kernel.actor import Actor, Grant, Permission
from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.signer_keys import EmbeddedSignerKeys
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.build_facts import Platform
from provenance.usecases.attest_builds import Attestor
from provenance.usecases.grant_builders import grant_builders
from provenance.usecases.initialise_signer import initialise_signer

OPERATOR = Actor("operator", frozenset({Grant(Permission.ADMINISTER)}))


@pytest.fixture
def attestor_key_file(tmp_path: Path) -> Path:
    file = tmp_path / "attestor-key"
    file.write_bytes(base64.b64encode(os.urandom(32)))
    return file


@pytest.fixture
def attestor(attestor_key_file: Path) -> Attestor:
    """Keys made, trust root published, builders of the issuer `github` granted."""
    keys = EmbeddedSignerKeys(key_file=attestor_key_file, base_url=settings.PUBLIC_URL)
    initialise_signer(keys=keys, actor=OPERATOR, now=timezone.now())
    with transaction.atomic():
        grant_builders(
            issuer_name="github",
            platform=Platform.GITHUB,
            base_url=settings.PUBLIC_URL,
            actor=OPERATOR,
            now=timezone.now(),
        )
    return Attestor(
        signer=EmbeddedSigner(key_file=attestor_key_file, issuer=settings.PUBLIC_URL),
        verifier=SigstoreVerifier(),
        base_url=settings.PUBLIC_URL,
    )
