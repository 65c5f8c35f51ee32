"""Consumers who look into archives all at once …"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import urllib3

from tests.factories.faulty_wire import Fault, FaultyWire, Operation, running_faulty_wire
from tests.factories.s3_server import S3Server
from tests.journeys.conftest import Answer, Shop, digest_of
from tests.journeys.places import in_bucket
from tests.journeys.test_archive_members import NOTES, member, put, wheel


@pytest.fixture
def wire(s3_server: S3Server) -> Iterator[FaultyWire]:
    with running_faulty_wire(s3_server.endpoint) as running:
        yield running


@pytest.fixture
def one_at_a_time(shop: Shop, s3_server: S3Server, wire: FaultyWire) -> Iterator[Shop]:
    """A server that looks into one archive, in a bucket that the test can make silent."""
    with in_bucket(s3_server, endpoint=wire.url, most_archives=1) as place:
        yield replace(shop, web=place.web)


def test_are_told_to_come_back_while_others_have_their_turn(
    one_at_a_time: Shop, wire: FaultyWire, curl: Callable[..., Answer], tmp_path: Path
) -> None:
    box = put(one_at_a_time, curl, tmp_path, wheel())
    token = one_at_a_time.tokens.reader
    slow: list[int] = []

    with wire.failing(Operation.GET, Fault.SILENT, times=1):
        first = threading.Thread(target=lambda: slow.append(list_slowly(box.url("members"), token)))
        first.start()
        await_until(lambda: wire.left == 0)
        refused = box.get("members"), member(box, "notes.txt")
        whole = box.get("download")
        wire.speaks.set()
        first.join()
    again = member(box, "notes.txt")

    for answer in refused:
        assert answer.status == 503
        assert answer.is_problem("archives-busy")
        assert answer.json["limit_archives"] == 1
        assert int(answer.headers["retry-after"]) > 0
    assert (whole.status, digest_of(whole.body).hex) == (200, box.artifact["sha256"])
    assert slow == [200]
    assert (again.status, again.body) == (200, NOTES)


def list_slowly(url: str, token: str) -> int:
    """The status; `curl` of the tests serves one caller at a time."""
    headers = {"Authorization": f"Bearer {token}"}
    return urllib3.request("GET", url, headers=headers, timeout=60, retries=False).status


def await_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
