"""A consumer whose bytes are sent by nginx or by the bucket …"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import transaction
from django.utils import timezone

from artifacts.models import Blob
from provenance.domain.policy import Enforcement
from provenance.usecases.set_policy import set_policy
from tests.environment import SCRATCH
from tests.factories import nginx
from tests.factories.actors import administrator
from tests.factories.s3_server import S3Server, is_installed, running_s3
from tests.journeys.conftest import WIDGET, Answer, Shop, digest_of, running_web

BUCKET: Final = "handed-over"
DIGEST: Final = digest_of(WIDGET)
# What an answer says besides the bytes, whoever sends them.
SAID: Final = (
    "accept-ranges",
    "cache-control",
    "content-disposition",
    "content-length",
    "content-type",
    "etag",
    "last-modified",
    "link",
    "repr-digest",
    "strongroom-verification",
    "vary",
    "x-content-type-options",
)
OURS: Final = {*SAID, "date", "server", "connection", "x-request-id", "content-range"}


@dataclass(frozen=True, slots=True)
class Counter:
    """An uploaded and attested artifact, and the address at which consumers ask for it."""

    shop: Shop
    curl: Callable[..., Answer]
    url: str
    app_url: str

    def get(self, *arguments: str, url: str = "") -> Answer:
        return self.curl(*arguments, url or self.url, token=self.shop.tokens.reader)


@contextmanager
def counter(
    shop: Shop, curl: Callable[..., Answer], tmp_path: Path, front: str = "", **settings: str
) -> Iterator[Counter]:
    """A web server with these settings; `front` is nginx's file, with `places` to fill in."""
    with running_web(port=0, **settings) as web:
        own = replace(shop, web=web)
        file = tmp_path / "widget"
        file.write_bytes(WIDGET)
        sent = curl(
            "-T",
            str(file),
            own.upload_url("dist/wïdget.bin".replace("ï", "%C3%AF")),
            token=own.tokens.uploader,
        )
        assert sent.status == 201, sent
        own.attest()
        app_url = web.at(sent.json["urls"]["download"])
        if not front:
            yield Counter(own, curl, app_url, app_url)
            return
        places = {
            "127.0.0.1:8000": web.url.removeprefix("http://"),
            **(
                {"/var/lib/strongroom/blobs/": f"{SCRATCH}/blobs/"}
                if front == "directory.conf"
                else {"http://127.0.0.1:9000": settings["STRONGROOM_S3_ENDPOINT"]}
            ),
        }
        with nginx.running_nginx(tmp_path / "nginx", front, places) as address:
            yield Counter(own, curl, app_url.replace(web.url, address), app_url)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3Server]:
    if not is_installed():
        pytest.skip("versitygw is not on PATH: .ci/run installs it")
    with running_s3(tmp_path / "s3") as running:
        running.new_bucket(BUCKET)
        yield running


def in_bucket(server: S3Server, way: str) -> dict[str, str]:
    return server.settings(BUCKET, STRONGROOM_DOWNLOADS=way)


@pytest.fixture(params=["directory.conf", "bucket.conf"])
def proxied(
    request: pytest.FixtureRequest, shop: Shop, curl: Callable[..., Answer], tmp_path: Path
) -> Iterator[Counter]:
    """nginx in front, as delivered: of a directory, and of a bucket."""
    if nginx.program() is None:
        pytest.skip("nginx is not installed: .ci/run installs it")
    settings = {"STRONGROOM_DOWNLOADS": "x-accel", "STRONGROOM_TRUSTED_PROXIES": "127.0.0.1"}
    if request.param == "bucket.conf":
        settings = {**settings, **in_bucket(request.getfixturevalue("server"), "x-accel")}
    with counter(shop, curl, tmp_path, request.param, **settings) as made:
        yield made


@pytest.fixture
def redirected(
    shop: Shop, curl: Callable[..., Answer], tmp_path: Path, server: S3Server
) -> Iterator[Counter]:
    with counter(shop, curl, tmp_path, **in_bucket(server, "redirect")) as made:
        yield made


def demand_provenance(shop: Shop) -> None:
    with transaction.atomic():
        set_policy(
            scope=shop.project.scope,
            actor=administrator(),
            now=timezone.now(),
            enforcement=Enforcement.ENFORCE,
            accepts_release=False,
        )


def said(answer: Answer) -> dict[str, Any]:
    return {name: answer.headers.get(name) for name in SAID}


def test_gets_through_nginx_what_the_app_would_send(proxied: Counter) -> None:
    answer = proxied.get()
    # A condition that nginx would judge again: this one is streamed by the app.
    streamed = proxied.get("-H", f'If-Match: "sha256:{DIGEST.hex}"')

    assert (answer.status, answer.body) == (200, WIDGET)
    assert (streamed.status, streamed.body) == (200, WIDGET)
    assert said(answer) == said(streamed)
    assert answer.headers["repr-digest"] == DIGEST.field
    assert not set(answer.headers) - OURS, set(answer.headers) - OURS
    assert "x-accel-redirect" in proxied.get(url=proxied.app_url).headers


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("0-0", 0, 0), ("10-19", 10, 19), ("1000000-", 1_000_000, len(WIDGET) - 1), ("-5", -5, None)],
)
def test_gets_a_range_through_nginx(
    proxied: Counter, asked: str, start: int, end: int | None
) -> None:
    answer = proxied.get("-r", asked)

    last = len(WIDGET) - 1 if end is None else end
    first = start % len(WIDGET)
    assert answer.status == 206
    assert answer.body == WIDGET[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(WIDGET)}"
    assert answer.headers["repr-digest"] == DIGEST.field


def test_gets_the_same_answers_without_bytes_through_nginx(proxied: Counter) -> None:
    several = proxied.get("-r", "0-1,4-5")
    assert (several.status, several.body) == (200, WIDGET)
    outside = proxied.get("-r", f"{len(WIDGET)}-")
    assert (outside.status, outside.is_problem("range-not-satisfiable")) == (416, True)
    known = proxied.get("-H", f'If-None-Match: "sha256:{DIGEST.hex}"')
    assert (known.status, known.body) == (304, b"")
    head = proxied.get("--head")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(WIDGET)))
    compressed = proxied.get("-H", "Accept-Encoding: gzip")
    assert compressed.body == WIDGET
    assert "content-encoding" not in compressed.headers


@pytest.mark.parametrize("arguments", [(), ("--head",), ("-r", "0-9")])
def test_gets_nothing_through_nginx_where_the_policy_is_not_met(
    proxied: Counter, arguments: tuple[str, ...]
) -> None:
    demand_provenance(proxied.shop)

    answer = proxied.get(*arguments)

    assert answer.status == 403
    assert answer.headers["strongroom-verification"] == "failed; reason=release-only"


def test_cannot_ask_nginx_for_what_only_the_app_may(proxied: Counter) -> None:
    key = Blob.objects.get().key
    origin = proxied.url.partition("/api/")[0]

    for path in (f"_directory/{key}", f"_bucket/{BUCKET}/{key}", "_directory/blobs/../incoming/"):
        answer = proxied.get("--path-as-is", url=f"{origin}/{path}")
        assert answer.status in (404, 503), (path, answer)
        assert WIDGET not in answer.body


def test_is_told_through_nginx_that_the_bytes_are_gone(proxied: Counter) -> None:
    Blob.objects.update(key="blobs/sha256/00/" + "0" * 64)

    answer = proxied.get()

    assert answer.status == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert "retry-after" in answer.headers
    assert b"X-Amz" not in answer.body


def test_is_led_to_the_bucket_for_a_minute(redirected: Counter) -> None:
    answer = redirected.get()

    assert (answer.status, answer.body) == (302, b"")
    assert answer.headers["repr-digest"] == DIGEST.field
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["strongroom-verification"].startswith("passed")
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert int(query["X-Amz-Expires"][0]) <= 60
    fetched = redirected.curl(answer.headers["location"])
    assert digest_of(fetched.body) == DIGEST
    assert fetched.headers["content-type"] == "application/octet-stream"
    assert fetched.headers["content-disposition"].startswith("attachment; filename*=utf-8''w%C3%AF")
    part = redirected.get("-L", "-r", "10-19")
    assert (part.status, part.body) == (206, WIDGET[10:20])
    # A client that knows two hosts apart does not send its token along.
    assert redirected.get("-L").body == WIDGET


def test_is_signed_only_what_it_asked_for(redirected: Counter) -> None:
    location = redirected.get().headers["location"]

    assert redirected.curl(location.replace("octet-stream", "html")).status == 403
    assert redirected.curl(location.replace("Expires=60", "Expires=600")).status == 403
    assert redirected.curl("-X", "DELETE", location).status == 403
    assert redirected.curl(location).status == 200


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--head",), 200),
        (("-H", f'If-None-Match: "sha256:{DIGEST.hex}"'), 304),
        (("-H", 'If-Match: "other"'), 412),
        (("-r", "9999999-"), 416),
    ],
)
def test_is_answered_at_once_where_no_bytes_are_due(
    redirected: Counter, arguments: tuple[str, ...], status: int
) -> None:
    answer = redirected.get(*arguments)

    assert answer.status == status
    assert "location" not in answer.headers


@pytest.mark.parametrize("arguments", [(), ("--head",), ("-r", "0-9"), ("-r", "9999999-")])
def test_is_led_nowhere_where_the_policy_is_not_met(
    redirected: Counter, arguments: tuple[str, ...]
) -> None:
    demand_provenance(redirected.shop)

    answer = redirected.get(*arguments)

    assert answer.status == 403
    assert "location" not in answer.headers


def test_goes_on_with_a_broken_off_download(redirected: Counter) -> None:
    """`If-Range` names our entity tag, which the bucket does not know: the app sends the rest."""
    answer = redirected.get("-r", "5-", "-H", f'If-Range: "sha256:{DIGEST.hex}"')

    assert (answer.status, answer.body) == (206, WIDGET[5:])
