"""A store whose worker asks a platform about jobs, with a clock that the test moves."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from kernel.digest import Sha256
from provenance.domain.build_facts import Witnessed
from provenance.domain.builders import Level
from provenance.domain.evidence import Expected
from provenance.domain.statement import Subject
from provenance.models import Attestation, AttestationRequest
from provenance.usecases.attest_builds import Attestor, Endings, attest_builds
from provenance.usecases.attest_confirmed_jobs import attest_confirmed_jobs
from provenance.usecases.verify_subject import Judge, verify_subject
from tests.factories.requests import SCOPE, requested

WAIT: Final = timedelta(minutes=5)


@dataclass
class Store:
    """A worker with a platform to ask, a clock of its own, and the owner of builds."""

    attestor: Attestor
    now: datetime
    published: list[UUID] = field(default_factory=list)
    refused: dict[UUID, Mapping[str, object]] = field(default_factory=dict)

    def work(self, *, after: timedelta = timedelta(0)) -> int:
        """What both tasks do in one sweep, so much later."""
        self.now += after
        endings = Endings(publish=self._publish, refuse=self._refuse)
        unasked = attest_builds(attestor=self.attestor, endings=endings, clock=self._clock)
        return unasked + attest_confirmed_jobs(
            attestor=self.attestor, endings=endings, clock=self._clock
        )

    def sealed(self, facts: Witnessed | None, **more: Any) -> AttestationRequest:
        return requested(facts, now=self.now, **more)

    def level(self, request: AttestationRequest) -> Level:
        """What a download of the request's file is told."""
        ((name, digest),) = request.subjects
        return verify_subject(
            expected=Expected(
                scope=SCOPE,
                build=request.build,
                subject=Subject(name, Sha256(digest)),
                base_url=settings.PUBLIC_URL,
            ),
            judge=Judge(verifier=self.attestor.verifier, key_is_shared=False),
            now=self.now,
        ).level

    def _clock(self) -> datetime:
        return self.now

    def _publish(self, *, builds: Collection[UUID], now: datetime) -> None:
        assert now == self.now
        self.published.extend(builds)

    def _refuse(self, *, build_id: UUID, reason: Mapping[str, object], now: datetime) -> None:
        assert now == self.now
        self.refused[build_id] = reason


def builders() -> list[str]:
    """The mode of each statement's builder, oldest first."""
    return [
        json.loads(bytes(one.request.statement or b""))["predicate"]["runDetails"]["builder"][
            "id"
        ].split("/")[-2]
        for one in Attestation.objects.order_by("recorded_at", "id")
    ]
