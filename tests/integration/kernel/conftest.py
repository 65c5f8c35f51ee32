"""A forger of the audit trail."""

from collections.abc import Iterator

import pytest

from config.embedded.postgres import Cluster
from tests.factories.forger import Forge, forger


@pytest.fixture
def forge(postgres: Cluster) -> Iterator[Forge]:
    """A database superuser, who may do everything."""
    with forger(postgres) as run:
        yield run
