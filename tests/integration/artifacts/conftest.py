"""A private project, and a store that forgets."""

from datetime import UTC, datetime
from typing import Final

import pytest

from artifacts.models import Project
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from tests.factories.actors import administrator
from tests.fakes.blob_store import MemoryBlobStore

NOW: Final = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@pytest.fixture
def store() -> MemoryBlobStore:
    return MemoryBlobStore()


@pytest.fixture
def project(transactional_db: None) -> Project:  # noqa: ARG001 - the tables, really committed
    create_organization(actor=administrator(), slug="acme", now=NOW)
    return create_project(
        actor=administrator(), organization="acme", slug="widget", is_public=False, now=NOW
    )
