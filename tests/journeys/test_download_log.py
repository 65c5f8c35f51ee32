"""Who administers a project sees who was given its artifacts …"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from artifacts.models import Download
from kernel.actor import Permission
from provenance.domain.policy import Enforcement
from provenance.models import StoredDecision
from tests.journeys.conftest import WIDGET, Answer, Shelf, Shop, _token, running_web
from tests.journeys.test_download import ETAG, demand_provenance


@pytest.fixture
def own(shop: Shop, curl: Callable[..., Answer], tmp_path: Path) -> Iterator[Shelf]:
    """A web server of its own, because it is stopped here; it believes a proxy on this machine."""
    with running_web(STRONGROOM_TRUSTED_PROXIES="127.0.0.1") as web:
        file = tmp_path / "widget"
        file.write_bytes(WIDGET)
        here = replace(shop, web=web)
        sent = curl("-T", str(file), here.upload_url("dist/widget"), token=here.tokens.uploader)
        here.attest()
        yield Shelf(here, curl, sent.json)


def logged(shelf: Shelf, count: int) -> list[Download]:
    """The artifact's lines, once there are so many; a second is what it may take."""
    found = Download.objects.filter(artifact_id=shelf.artifact["id"]).order_by("at")
    deadline = time.monotonic() + 60
    while found.count() < count and time.monotonic() < deadline:
        time.sleep(0.02)
    return list(found.all())


def test_with_every_answer_and_its_decision(own: Shelf) -> None:
    own.get("download", "-H", "X-Forwarded-For: 198.51.100.7")
    own.get("download", "-r", "10-19")
    own.head()
    own.get("download", "-H", f"If-None-Match: {ETAG}")
    demand_provenance(own, Enforcement.OBSERVE)
    own.get()
    demand_provenance(own, Enforcement.ENFORCE)
    own.get()

    lines = logged(own, 6)

    assert [(line.way, line.byte_range, line.verdict, line.reason) for line in lines] == [
        ("stream", "", "allowed", ""),
        ("stream", f"bytes 10-19/{len(WIDGET)}", "allowed", ""),
        ("head", "", "allowed", ""),
        ("not-modified", "", "allowed", ""),
        ("stream", "", "observed", "release-only"),
        ("none", "", "refused", "policy-not-met"),
    ]
    assert [line.address for line in lines] == ["198.51.100.7"] + ["127.0.0.1"] * 5
    assert {str(line.artifact_id) for line in lines} == {own.artifact["id"]}
    assert {line.sha256 for line in lines} == {own.artifact["sha256"]}
    kept = set(StoredDecision.objects.values_list("pk", flat=True))
    assert all(line.decision in kept for line in lines[:5])
    owner = _token(own.shop.project, Permission.ADMINISTER)
    url = f"{own.shop.url}/downloads?sha256={own.artifact['sha256']}"
    shown = own.curl(url, token=owner).json["downloads"]
    assert [row["id"] for row in shown] == [str(line.pk) for line in reversed(lines)]


def test_not_those_who_may_not_know_that_it_exists(own: Shelf) -> None:
    refused = own.curl(own.url(), token=own.shop.tokens.stranger)
    own.get()

    [line] = logged(own, 1)

    assert refused.status == 404
    assert line.verdict == "allowed"


def test_also_when_the_server_is_told_to_stop(own: Shelf) -> None:
    own.get()
    own.get()

    os.kill(own.shop.web.pid, signal.SIGTERM)

    assert len(logged(own, 2)) == 2
