"""A public project with something on the shelf."""

import pytest

from provenance.usecases.attest_builds import Attestor
from tests.factories.shelves import Shelf, make_project


@pytest.fixture
def shelf(db: None, attestor: Attestor) -> Shelf:  # noqa: ARG001 - the tables are there
    return Shelf(make_project(), attestor)
