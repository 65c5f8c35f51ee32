"""Whose statements go into a public log: those of a public project whose owner chose so."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from artifacts.errors import (
    PrivateProjectInPublicLog,
    PublicSigningUnderWay,
    TransparencyNotOffered,
)
from artifacts.models import Project
from artifacts.usecases.change_visibility import change_visibility
from artifacts.usecases.choose_transparency import choose_transparency
from artifacts.usecases.permit_transparency import permit_transparency
from kernel.actor import PermissionMissing
from kernel.audit.models import AuditRecord
from provenance.domain.transparency import Transparency
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.models import AttestationRequest
from provenance.ports import Signed, SigningJob
from provenance.usecases.attest_builds import LEASE, Attestor, Endings, attest_builds
from tests.factories.actors import administrator, reader
from tests.factories.builds import at_once
from tests.factories.facts import witnessed
from tests.factories.requests import requested

ALL = frozenset(Transparency)
PUBLIC, PRIVATE = Transparency.PUBLIC_LOG, Transparency.PRIVATE_LOG


@dataclass
class Recorder:
    """A signer that never can sign, and remembers who was to be seen there."""

    project: Project
    jobs: list[SigningJob] = field(default_factory=list)
    was_private: list[bool] = field(default_factory=list)
    name: str = "recorder"
    batches_at_once: int = 1

    def sign(self, jobs: Sequence[SigningJob]) -> list[Signed | SignerRefused | SignerUnavailable]:
        for _look in range(3):  # from the first request that is sent to the last
            time.sleep(0.01)
            self.was_private.append(not Project.objects.get(pk=self.project.pk).is_public)
        self.jobs += jobs
        return [SignerUnavailable(reason="recording")] * len(jobs)


@dataclass
class Worker:
    """A worker with a signer for each kind of log."""

    attestor: Attestor
    public: Recorder
    private: Recorder

    def run(
        self,
        *,
        clock: Callable[[], datetime] = timezone.now,
        offered: Collection[Transparency] = ALL,
    ) -> None:
        elsewhere = {PUBLIC: self.public} if PUBLIC in offered else {}
        attest_builds(
            attestor=replace(self.attestor, signer=self.private, elsewhere=elsewhere),
            endings=Endings(
                publish=lambda **_build: None,
                refuse=lambda **_build: None,
                transparencies=permit_transparency,
            ),
            clock=clock,
        )


@pytest.fixture
def worker(attestor: Attestor, project: Project) -> Worker:
    return Worker(attestor, Recorder(project), Recorder(project))


def choose(project: Project, transparency: Transparency) -> Project:
    return choose_transparency(
        actor=administrator(),
        project=project,
        transparency=transparency,
        offered=ALL,
        now=timezone.now(),
    )


def show_to_everybody(project: Project, *, is_public: bool = True) -> Project:
    return change_visibility(
        actor=administrator(),
        organization=project.organization.slug,
        project=project.slug,
        is_public=is_public,
        now=timezone.now(),
    )


def waiting(project: Project) -> AttestationRequest:
    return requested(witnessed(), scope=project.scope)


def test_signs_privately_until_the_owner_chooses(worker: Worker, project: Project) -> None:
    show_to_everybody(project)
    waiting(project)

    worker.run()

    assert [job.transparency for job in worker.private.jobs] == [PRIVATE]
    assert not worker.public.jobs


def test_signs_publicly_what_the_owner_of_a_public_project_wants_public(
    worker: Worker, project: Project
) -> None:
    show_to_everybody(project)
    choose(project, PUBLIC)
    waiting(project)

    worker.run()

    assert [job.transparency for job in worker.public.jobs] == [PUBLIC]
    assert not worker.private.jobs


def test_refuses_a_public_log_for_a_private_project(project: Project) -> None:
    with pytest.raises(PrivateProjectInPublicLog):
        choose(project, PUBLIC)

    assert Project.objects.get().transparency == PRIVATE


def test_has_no_row_of_a_private_project_in_a_public_log(project: Project) -> None:
    """Not by a forgotten rule, not by hand: the database refuses it."""
    rows = Project.objects.filter(pk=project.pk)

    with pytest.raises(IntegrityError, match="no_private_project"), transaction.atomic():
        rows.update(transparency=PUBLIC)
    rows.update(is_public=True, transparency=PUBLIC)
    with pytest.raises(IntegrityError, match="no_private_project"), transaction.atomic():
        rows.update(is_public=False)


def test_signs_privately_what_was_asked_for_before_the_project_became_private(
    worker: Worker, project: Project
) -> None:
    show_to_everybody(project)
    choose(project, PUBLIC)
    waiting(project)

    show_to_everybody(project, is_public=False)
    worker.run()

    assert not worker.public.jobs
    assert len(worker.private.jobs) == 1


def test_stays_private_when_it_is_shown_again(worker: Worker, project: Project) -> None:
    show_to_everybody(project)
    choose(project, PUBLIC)

    show_to_everybody(project, is_public=False)
    show_to_everybody(project)
    waiting(project)
    worker.run()

    assert not worker.public.jobs
    assert len(worker.private.jobs) == 1


def under_way(project: Project, *, until: datetime) -> AttestationRequest:
    """A statement that a worker has claimed for the public log."""
    request = waiting(project)
    AttestationRequest.objects.filter(pk=request.pk).update(
        transparency=PUBLIC, lease=request.pk, leased_until=until
    )
    return request


def test_does_not_say_private_while_a_statement_is_on_its_way(project: Project) -> None:
    show_to_everybody(project)
    choose(project, PUBLIC)
    request = under_way(project, until=timezone.now() + LEASE)

    with pytest.raises(PublicSigningUnderWay) as refused:
        show_to_everybody(project, is_public=False)
    with pytest.raises(PublicSigningUnderWay):
        choose(project, PRIVATE)

    assert 0 < int(str(refused.value.facts["retry_after_seconds"])) <= 61
    assert Project.objects.get().is_public
    AttestationRequest.objects.filter(pk=request.pk).update(leased_until=timezone.now())
    assert not show_to_everybody(project, is_public=False).is_public


def test_begins_nothing_public_that_could_outlast_its_lease(
    worker: Worker, project: Project
) -> None:
    """A worker that was stopped between its claim and its signing wakes up too late."""
    show_to_everybody(project)
    choose(project, PUBLIC)
    request = waiting(project)
    claimed = timezone.now()
    moments = iter([claimed, *[claimed + LEASE - timedelta(seconds=44)] * 3])

    worker.run(clock=lambda: next(moments))

    request.refresh_from_db()
    assert not worker.public.jobs
    assert (request.last_error or {})["reason"] == "lease-too-short"


def test_never_signs_publicly_what_is_private_in_that_moment(
    worker: Worker, project: Project
) -> None:
    """Thirty races of a worker with an owner: whoever is first, the log sees no private project."""
    outcomes = set()
    for _round in range(30):
        show_to_everybody(project)
        choose(project, PUBLIC)
        waiting(project)
        gate = threading.Barrier(2)

        def attest(gate: threading.Barrier = gate) -> None:
            gate.wait()
            worker.run()

        def hide(gate: threading.Barrier = gate) -> object:
            gate.wait()
            return show_to_everybody(project, is_public=False)

        _attested, hidden = at_once(attest, hide)
        outcomes.add(type(hidden))
        AttestationRequest.objects.all().delete()

    assert outcomes <= {Project, PublicSigningUnderWay}
    assert not any(worker.public.was_private)
    assert len(worker.public.jobs) + len(worker.private.jobs) == 30


def test_waits_with_a_reason_where_no_signer_fits(worker: Worker, project: Project) -> None:
    show_to_everybody(project)
    choose(project, PUBLIC)
    request = waiting(project)

    worker.run(offered=[PRIVATE])

    request.refresh_from_db()
    error = request.last_error or {}
    assert not worker.private.jobs
    assert (error["reason"], error["expected"]) == ("no-signer-for-transparency", "public-log")
    assert error["found"] == "private-log"
    assert request.next_attempt_at > timezone.now()


def test_refuses_what_no_signer_of_this_store_does(project: Project) -> None:
    with pytest.raises(TransparencyNotOffered):
        choose_transparency(
            actor=administrator(),
            project=project,
            transparency=Transparency.TIMESTAMP_ONLY,
            offered=[PRIVATE],
            now=timezone.now(),
        )


def test_leaves_the_choice_to_owners(project: Project) -> None:
    with pytest.raises(PermissionMissing):
        choose_transparency(
            actor=reader(project),
            project=project,
            transparency=PRIVATE,
            offered=ALL,
            now=timezone.now(),
        )


def test_tells_who_chose(project: Project) -> None:
    show_to_everybody(project)
    choose(project, PUBLIC)
    choose(project, PUBLIC)

    told = AuditRecord.objects.get(action="project.choose-transparency")
    assert told.actor == "administrator"
    assert told.facts["before"] == {"transparency": "private-log"}
    assert told.facts["after"] == {"transparency": "public-log"}
