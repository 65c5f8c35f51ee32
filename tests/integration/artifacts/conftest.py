"""A private project, and a store that forgets."""

import pytest

from artifacts.models import Artifact, Project
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from artifacts.usecases.probe_store import probe_store
from kernel.actor import Actor
from provenance.domain.build_facts import Hosting
from tests.factories import legal_holds
from tests.factories.actors import administrator, job
from tests.factories.builds import NOW, send, start
from tests.factories.direct_uploads import Able, Desk
from tests.factories.facts import witnessed
from tests.fakes.blob_store import MemoryBlobStore


@pytest.fixture
def store() -> MemoryBlobStore:
    return MemoryBlobStore()


@pytest.fixture
def project(transactional_db: None) -> Project:  # noqa: ARG001 - the tables, really committed
    create_organization(actor=administrator(), slug="acme", now=NOW)
    return create_project(
        actor=administrator(), organization="acme", slug="widget", is_public=False, now=NOW
    )


@pytest.fixture
def first(project: Project) -> Actor:
    return job(project, witnessed())


@pytest.fixture
def second(project: Project) -> Actor:
    """Another job of the same run."""
    return job(project, witnessed(job_id="31338", hosting=Hosting.SELF_HOSTED))


@pytest.fixture
def desk(first: Actor, store: MemoryBlobStore) -> Desk:
    return Desk(first, start(first, "build").build, store)


@pytest.fixture
def files(first: Actor, store: MemoryBlobStore) -> dict[str, Artifact]:
    """Three, in a bucket that can hold objects."""
    probe_store(place=legal_holds.PLACE, probe=Able(), now=NOW)
    build = start(first, "build").build
    return {
        path: send(first, build, store, path).artifact for path in ("kept/a", "kept/b", "other")
    }
