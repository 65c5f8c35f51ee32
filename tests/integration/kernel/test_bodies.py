"""A JSON body of any size and form is answered with a problem document, and never with a 500."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
KIBIBYTE = 1024


@pytest.mark.parametrize("address", ["/_/oidc/mint-token", "/api/v1/organizations"])
@pytest.mark.parametrize(
    ("size_bytes", "status"), [(63 * KIBIBYTE, 400), (65 * KIBIBYTE, 413), (3 * 1024**2, 413)]
)
def test_names_the_limit_of_a_body_that_is_too_large(
    address: str, size_bytes: int, status: int
) -> None:
    client = Client(raise_request_exception=False)
    body = b'"' + b"x" * (size_bytes - 2) + b'"'

    response = client.post(address, body, content_type="application/json")

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    if status == 413:
        assert response.json()["limit_bytes"] == 64 * KIBIBYTE
        assert response.json()["observed_bytes"] == size_bytes


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 60_000, b'{"token": 5}', b"null"])
def test_refuses_a_body_that_cannot_be_read(body: bytes) -> None:
    client = Client(raise_request_exception=False)

    response = client.post("/_/oidc/mint-token", body, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["code"] in ("malformed-request", "identity-token-malformed")
