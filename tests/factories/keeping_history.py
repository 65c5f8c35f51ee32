"""What can happen to artifacts, act by act: held, lifted, removed, restored, buried, collected."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import ClassVar
from uuid import UUID, uuid4

from artifacts.domain.holds import ArtifactHeld, Reach
from artifacts.errors import ArtifactKept, ArtifactNotFound
from artifacts.models import Artifact, Blob, FreedBlob, Hold, Project, TrashedArtifact
from artifacts.queries import visible_artifact
from artifacts.queries.retention import Holder
from artifacts.queries.trash import trashed_seen_by
from artifacts.usecases.apply_retention import WEEK, apply_retention
from artifacts.usecases.collect_blobs import collect_blobs
from artifacts.usecases.lift_hold import lift_hold
from artifacts.usecases.place_hold import Holding, place_hold
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.remove_artifact import remove_artifact
from artifacts.usecases.restore_artifact import Restoring, restore_trashed
from artifacts.usecases.start_retention_run import start_retention_run
from kernel.errors import Refusal
from provenance.domain import slsa_v1
from provenance.usecases.attest_builds import Attestor
from tests.factories.actors import administrator, owner
from tests.factories.builds import NOW
from tests.factories.burying import bury
from tests.factories.shelf import Kind, put
from tests.fakes.blob_store import MemoryBlobStore

LONG: timedelta = timedelta(days=40)


class History:
    """Four artifacts, two of which share their bytes; a day passes with each act."""

    def __init__(self, project: Project, attestor: Attestor) -> None:
        self.project, self.now, self.store = project, NOW, MemoryBlobStore()
        self.attestor = attestor
        name = uuid4()
        kinds = [
            Kind(
                path=f"{name}/{number}",
                bytes_of=f"{max(number, 1)} of {name}",
                predicate=slsa_v1.PREDICATE_TYPE,
            )
            for number in range(4)
        ]
        made = [put(project, kind, first=NOW) for kind in kinds]
        self.artifacts = [one.pk for one in made]
        for one in made:
            self.store.blobs[one.blob.key] = bytes(one.blob.size_bytes)
        self.blobs = {one.blob_id for one in made}
        self.held: dict[UUID, Hold] = {}

    def act(self, act: str, number: int) -> None:
        self.now += timedelta(days=1)
        self.ACTS[act](self, self.artifacts[number])

    def states_of_held_bytes(self) -> set[str]:
        """What is said of the blobs of all that is held; `live` where nothing is."""
        states = {"live"}
        for one in self.held:
            row = (
                Artifact.objects.filter(pk=one).first()
                or TrashedArtifact.objects.filter(pk=one).first()
            )
            states.add(row.blob.state if row is not None else "gone")
        return states

    def is_true_of_the_store(self) -> bool:
        """Whether all that somebody has is stored, and nothing is that was confirmed as freed."""
        used = set[str]()
        for kind in (Artifact, TrashedArtifact):
            of_ours = kind.objects.filter(pk__in=self.artifacts)
            used.update(of_ours.values_list("blob__key", flat=True))
        freed = FreedBlob.objects.filter(blob_id__in=self.blobs)
        rows = Blob.objects.filter(pk__in=self.blobs)
        return (
            used <= self.store.blobs.keys()
            and not freed.filter(key__in=self.store.blobs).exists()
            and freed.count() + rows.count() == len(self.blobs)
        )

    def end(self) -> None:
        """Nothing is held any more, what was restored has had its time, and all is collected."""
        for one in self.artifacts:
            self._lift(one)
        self.now += LONG
        self._run(self.artifacts[0])
        self.now += LONG
        self._bury(self.artifacts[0])
        for _round in range(2):
            self.now += timedelta(days=1)
            self._collect(self.artifacts[0])

    def _hold(self, one: UUID) -> None:
        there = (Artifact.objects.filter(pk=one), TrashedArtifact.objects.filter(pk=one))
        if one in self.held or not any(found.exists() for found in there):
            return
        holding = Holding(Reach(artifact=one), "case")
        self.held[one] = place_hold(
            project=self.project, holding=holding, actor=owner(self.project), now=self.now
        )

    def _lift(self, one: UUID) -> None:
        hold = self.held.pop(one, None)
        if hold is None:
            return
        for person in (1, 2):
            actor = owner(self.project, person)
            lift_hold(hold=hold, persons=2, reason="over", actor=actor, now=self.now)

    def _remove(self, one: UUID) -> None:
        refused: Refusal | None = None
        with suppress(Refusal):
            found = visible_artifact(actor=administrator(), artifact=one)
            try:
                remove_artifact(
                    artifact=found,
                    reason="by hand",
                    trash=WEEK,
                    actor=owner(self.project),
                    now=self.now,
                )
            except (ArtifactHeld, ArtifactKept) as refusal:
                refused = refusal
            if one in self.held and not isinstance(refused, ArtifactHeld):
                raise AssertionError("what is held was removed")

    def _restore(self, one: UUID) -> None:
        with suppress(ArtifactNotFound):
            restore_trashed(
                trashed=trashed_seen_by(administrator(), artifact=one),
                restoring=Restoring("it was needed", WEEK),
                actor=owner(self.project),
                now=self.now,
            )

    def _run(self, _one: UUID) -> None:
        holder = Holder.of_project(self.project)
        plan = plan_retention(holder=holder, actor=administrator(), now=self.now)
        start_retention_run(plan=plan, actor=administrator(), now=self.now)
        apply_retention(clock=lambda: self.now)

    def _bury(self, _one: UUID) -> None:
        self.now += timedelta(days=3)
        bury(self.attestor, self.now)

    def _collect(self, _one: UUID) -> None:
        collect_blobs(inventory=self.store, now=self.now, grace=timedelta(0))

    ACTS: ClassVar[dict[str, Callable[["History", UUID], None]]] = {
        "hold": _hold,
        "lift": _lift,
        "remove": _remove,
        "restore": _restore,
        "run": _run,
        "bury": _bury,
        "collect": _collect,
    }
