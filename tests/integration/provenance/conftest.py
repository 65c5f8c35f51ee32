"""A worker that asks a platform's API, which really answers."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import transaction
from django.utils import timezone

from provenance.domain.policy import Source
from provenance.usecases.attest_builds import Attestor
from provenance.usecases.set_policy import set_policy
from tests.factories.actors import administrator
from tests.factories.confirming_store import WAIT, Store
from tests.factories.facts import ISSUER
from tests.factories.platform_doubles import PlatformDouble, running_platform
from tests.factories.requests import SCOPE


@pytest.fixture
def platform() -> Iterator[PlatformDouble]:
    with running_platform() as double:
        yield double


@pytest.fixture
def store(attestor: Attestor, platform: PlatformDouble) -> Store:
    asking = replace(attestor, confirmation=platform.platforms("github"), confirmation_wait=WAIT)
    with transaction.atomic():
        source = Source(ISSUER, "4242", "77")
        set_policy(scope=SCOPE, actor=administrator(), now=timezone.now(), sources=[source])
    return Store(asking, timezone.now())
