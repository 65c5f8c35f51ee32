"""What pages have to show: files of jobs and releases, signed or not, as the store made them."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from artifacts.models import Artifact, Build, Project
from artifacts.queries import Place
from artifacts.usecases.complete_build import complete_build
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from artifacts.usecases.publish_file import Incoming, publish_file
from artifacts.usecases.receive_file import Slot, receive_file
from artifacts.usecases.start_build import Wanted, start_build
from artifacts.wiring import blob_store, endings, file_counts
from provenance.domain.build_facts import Witnessed
from provenance.domain.policy import Enforcement, Source
from provenance.usecases.attest_builds import Attestor, attest_builds
from provenance.usecases.set_policy import set_policy
from tests.factories.actors import administrator, job
from tests.factories.builds import digest_of
from tests.factories.facts import ISSUER

SOURCE = Source(ISSUER, "4242", "77")


def make_project(slug: str = "widget", *, is_public: bool = True) -> Project:
    now = timezone.now()
    create_organization(actor=administrator(), slug="acme", now=now)
    return create_project(
        actor=administrator(), organization="acme", slug=slug, is_public=is_public, now=now
    )


@dataclass(frozen=True)
class Shelf:
    """A project, and the worker on demand."""

    project: Project
    attestor: Attestor

    def push(self, facts: Witnessed, **files: bytes) -> Build:
        """What a job pushes and seals; an underscore in a name stands for a dot."""
        named = {name.replace("_", "."): data for name, data in files.items()}
        actor, now = job(self.project, facts), timezone.now()
        wanted = Wanted(self.project.organization.slug, self.project.slug)
        build = start_build(actor=actor, wanted=wanted, now=now).build
        for path, data in named.items():
            receive_file(
                actor=actor,
                slot=Slot(build.pk, path, len(named)),
                incoming=Incoming(chunks=iter([data]), declared=None),
                store=blob_store(),
                counts=file_counts(),
                clock=timezone.now,
            )
        expected = {path: digest_of(data) for path, data in named.items()}
        return complete_build(actor=actor, build=build.pk, expected=expected, now=timezone.now())

    def release(self, path: str, data: bytes) -> Artifact:
        """What somebody uploads with a token that stands for no job."""
        place = Place(self.project.organization.slug, self.project.slug, path)
        return publish_file(
            actor=administrator(),
            place=place,
            incoming=Incoming(chunks=iter([data]), declared=None),
            store=blob_store(),
            clock=timezone.now,
        ).artifact

    def attest(self) -> None:
        """Do what the worker does until nothing is due."""
        while attest_builds(attestor=self.attestor, endings=endings(), clock=timezone.now):
            pass

    def accept(self, *sources: Source, enforcement: Enforcement = Enforcement.ENFORCE) -> None:
        with transaction.atomic():
            set_policy(
                scope=self.project.scope,
                actor=administrator(),
                sources=sources,
                enforcement=enforcement,
                now=timezone.now(),
            )
