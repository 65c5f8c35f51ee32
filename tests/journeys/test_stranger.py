"""A stranger …"""

from collections.abc import Callable
from uuid import uuid4

import pytest

from artifacts.models import Build
from provenance.models import Attestation
from tests.journeys.conftest import Answer, Shelf, Shop


@pytest.mark.parametrize("token", ["stranger", None])
def test_cannot_tell_foreign_things_from_absent_ones(shelf: Shelf, token: str | None) -> None:
    secret = getattr(shelf.shop.tokens, token) if token else None
    build = Build.objects.get().pk
    attestation = Attestation.objects.get().pk
    web = f"{shelf.shop.web.url}/api/v1"
    artifact = f"{web}/artifacts/{shelf.artifact['id']}"
    foreign = [
        artifact,
        f"{artifact}/download",
        f"{artifact}/verification",
        f"{artifact}/attestations",
        f"{artifact}/attestations/{attestation}",
        f"{web}/builds/{build}",
        shelf.shop.url,
        f"{shelf.shop.url}/builds",
        f"{shelf.shop.url}/builds/{build}",
        shelf.url("download_by_name"),
    ]

    for url in foreign:
        absent_url = url
        for known in (shelf.artifact["id"], build, attestation):
            absent_url = absent_url.replace(str(known), str(uuid4()))
        absent_url = absent_url.replace("/acme/widget", "/acme/absent")
        answers = [shelf.curl(one, token=secret) for one in (url, absent_url)]
        assert [answer.status for answer in answers] == [404, 404], url
        seen, absent = (dict(answer.json) for answer in answers)
        assert seen.pop("instance") != absent.pop("instance")
        assert seen == absent, url
        ignored = {"date", "x-request-id", "content-length"}
        assert [(k, v) for k, v in answers[0].headers.items() if k not in ignored] == [
            (k, v) for k, v in answers[1].headers.items() if k not in ignored
        ]
        assert shelf.curl(url, token=shelf.shop.tokens.reader).status == 200, url


@pytest.mark.parametrize(
    "path",
    [
        "/artifacts/not-a-uuid/download",
        "/artifacts/not-a-uuid",
        "/builds/1",
        "/projects/NOT/a-slug",
        "/projects/acme/a%00b",
        "/projects/acme",
    ],
)
def test_is_told_that_nothing_has_a_malformed_name(
    shop: Shop, curl: Callable[..., Answer], path: str
) -> None:
    answer = curl(f"{shop.web.url}/api/v1{path}", token=shop.tokens.reader)

    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
