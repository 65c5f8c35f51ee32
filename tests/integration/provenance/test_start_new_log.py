"""After a restore a new log starts, and what the old one proved stays verifiable."""

from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from provenance.adapters.embedded.rotation import EmbeddedGenerations
from provenance.adapters.embedded.signer_keys import EmbeddedSignerKeys
from provenance.domain.evidence import Expected
from provenance.models import LogTree, TrustState
from provenance.usecases.attest_builds import Attestor, Endings, attest_builds
from provenance.usecases.initialise_signer import initialise_signer
from provenance.usecases.start_new_log import start_new_log
from provenance.usecases.verify_subject import Judge, verify_subject
from tests.factories.actors import administrator
from tests.factories.requests import SCOPE, requested, subject_of

pytestmark = pytest.mark.django_db


def attested(attestor: Attestor) -> Expected:
    request = requested(None)
    endings = Endings(publish=lambda **_build: None, refuse=lambda **_build: None)
    attest_builds(attestor=attestor, endings=endings, clock=timezone.now)
    return Expected(
        scope=SCOPE, build=request.build, subject=subject_of(), base_url=settings.PUBLIC_URL
    )


def is_verified(attestor: Attestor, expected: Expected) -> bool:
    judge = Judge(verifier=attestor.verifier, key_is_shared=False)
    return verify_subject(expected=expected, judge=judge, now=timezone.now()).allowed


def test_verifies_old_and_new_evidence_after_a_new_log(
    attestor: Attestor, attestor_key_file: Path
) -> None:
    generations = EmbeddedGenerations(key_file=attestor_key_file, base_url=settings.PUBLIC_URL)
    old = attested(attestor)

    version = start_new_log(generations=generations, actor=administrator(), now=timezone.now())
    new = attested(attestor)

    assert version == 2
    assert TrustState.objects.get().trust_root_version == 2
    assert is_verified(attestor, old)
    assert is_verified(attestor, new)
    assert LogTree.objects.filter(retired_at=None).count() == 2
    assert LogTree.objects.count() == 4


def test_publishes_nothing_new_when_the_signer_is_initialised_again(
    attestor: Attestor, attestor_key_file: Path
) -> None:
    assert attestor.signer.name == "embedded"
    keys = EmbeddedSignerKeys(key_file=attestor_key_file, base_url=settings.PUBLIC_URL)

    assert initialise_signer(keys=keys, actor=administrator(), now=timezone.now()) == 1
