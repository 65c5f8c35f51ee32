"""A database that is away is a 503 that may be repeated, at every address, and never a 500."""

import time

import pytest
from django.db import connections
from django.test import Client

from tests.environment import POSTGRES_SOCKETS

# A plain Django view, and one of the native API: their errors take different ways.
RECOVERY_SECONDS = 60
ADDRESSES = ["/", "/api/v1/artifacts/00000000-0000-4000-8000-000000000000"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("address", ADDRESSES)
def test_answers_503_while_the_database_is_away(address: str) -> None:
    client = Client(raise_request_exception=False)
    assert client.get(address).status_code != 503
    connections.close_all()
    connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own
    away = POSTGRES_SOCKETS.with_name("away")
    POSTGRES_SOCKETS.rename(away)

    try:
        response = client.get(address)
    finally:
        away.rename(POSTGRES_SOCKETS)

    assert response.status_code == 503
    assert response.json()["code"] == "database-unavailable"
    assert int(response["Retry-After"]) >= 1
    deadline = time.monotonic() + RECOVERY_SECONDS
    while client.get(address).status_code == 503:
        assert time.monotonic() < deadline
