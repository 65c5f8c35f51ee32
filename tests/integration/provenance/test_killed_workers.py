"""A worker killed with SIGKILL at each step: the next one finishes, and one statement counts."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from provenance.domain.builders import Level
from provenance.domain.evidence import Expected
from provenance.domain.scope import Scope
from provenance.models import Attestation, AttestationRequest, LogLeaf, RequestState, TreeKind
from provenance.usecases.attest_builds import LEASE, Attestor, Endings, attest_builds
from provenance.usecases.verify_subject import Judge, verify_subject
from tests.factories.confirming_store import Store, builders
from tests.factories.facts import witnessed
from tests.factories.platform_doubles import PlatformDouble, knows
from tests.factories.requests import SCOPE, requested, subject_of

if TYPE_CHECKING:
    from uuid import UUID

ROOT = Path(__file__).resolve().parent.parent.parent.parent
WORKER = """
import django
django.setup()
from datetime import timedelta
from django.utils import timezone
from provenance.usecases.attest_builds import Endings, attest_builds
from provenance.usecases.attest_confirmed_jobs import attest_confirmed_jobs
from provenance.wiring import attestor
endings = Endings(publish=lambda **build: None, refuse=lambda **build: None)
attest_builds(attestor=attestor(), endings=endings, clock=timezone.now)
attest_confirmed_jobs(attestor=attestor(), endings=endings, clock=timezone.now)
"""

# The point at which the worker dies, and how many entries the log then holds in the end: a
# statement that was logged and not recorded is logged again, and only the second one counts.
POINTS = {
    "provenance.claimed": 1,
    "provenance.certified": 1,
    "provenance.logged": 2,
    "provenance.signed": 2,
    "provenance.recorded": 1,
}
# The same where the platform is asked first.
ASKING_POINTS = {
    "provenance.asking": 1,
    "provenance.answered": 1,
    "provenance.decided": 1,
    "provenance.logged": 2,
    "provenance.signed": 2,
    "provenance.recorded": 1,
}


def work(point: str, *, key_file: Path, trigger: Path, **more: str) -> int:
    """Attest in a process of its own, which dies at the point if the trigger is there."""
    finished = subprocess.run(
        [sys.executable, "-c", WORKER],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "STRONGROOM_ATTESTOR_KEY_FILE": str(key_file),
            "STRONGROOM_FAULT_POINTS": f"{point}={trigger}",
            **more,
        },
        check=False,
        timeout=60,
    )
    return finished.returncode


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", POINTS)
def test_finishes_what_a_killed_worker_began(
    attestor: Attestor, attestor_key_file: Path, tmp_path: Path, point: str
) -> None:
    request = requested(witnessed())
    published: list[UUID] = []
    endings = Endings(
        publish=lambda *, builds, now: published.extend(builds),  # noqa: ARG005 - the port's shape
        refuse=lambda *, build_id, reason, now: pytest.fail(f"{build_id} {reason} {now}"),
    )

    (tmp_path / "trigger").touch()
    status = work(point, key_file=attestor_key_file, trigger=tmp_path / "trigger")
    assert status == -signal.SIGKILL
    for _ in range(2):  # the sweep comes again and again
        attest_builds(
            attestor=attestor,
            endings=endings,
            clock=lambda: timezone.now() + LEASE + timedelta(seconds=1),
        )

    request.refresh_from_db()
    assert request.state == RequestState.ATTESTED
    assert Attestation.objects.filter(request=request).count() == 1
    assert len(published) == (0 if point == "provenance.recorded" else 1)
    assert LogLeaf.objects.filter(tree__kind=TreeKind.STATEMENTS).count() == POINTS[point]
    verdict = verify_subject(
        expected=Expected(
            scope=Scope(SCOPE.organization, SCOPE.project),
            build=request.build,
            subject=subject_of(),
            base_url=attestor.base_url,
        ),
        judge=Judge(verifier=attestor.verifier, key_is_shared=False),
        now=timezone.now(),
    )
    assert len(verdict.document["attestations"]) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ASKING_POINTS)
def test_asks_again_what_a_killed_worker_had_asked(
    store: Store, platform: PlatformDouble, attestor_key_file: Path, tmp_path: Path, point: str
) -> None:
    knows(platform, witnessed())
    request = store.sealed(witnessed())
    apis = json.dumps({"github": {"api": platform.url}})

    (tmp_path / "trigger").touch()
    status = work(
        point,
        key_file=attestor_key_file,
        trigger=tmp_path / "trigger",
        STRONGROOM_CONFIRMATIONS=apis,
    )
    assert status == -signal.SIGKILL
    for _ in range(2):
        store.work(after=LEASE + timedelta(seconds=1))

    request.refresh_from_db()
    assert request.state == RequestState.ATTESTED
    assert builders() == ["hosted-confirmed"]
    assert LogLeaf.objects.filter(tree__kind=TreeKind.STATEMENTS).count() == ASKING_POINTS[point]
    assert store.level(request) is Level.L2
    assert store.published == ([] if point == "provenance.recorded" else [request.build_id])


@pytest.mark.django_db(transaction=True)
def test_attests_without_a_fault_just_as_well(
    attestor: Attestor, attestor_key_file: Path, tmp_path: Path
) -> None:
    """The twin of the kills above: the same process, the same point, no trigger file."""
    requested(witnessed())
    assert attestor.signer.name == "embedded"

    status = work("provenance.signed", key_file=attestor_key_file, trigger=tmp_path / "absent")

    assert status == 0
    assert AttestationRequest.objects.get().state == RequestState.ATTESTED
