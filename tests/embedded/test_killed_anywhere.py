"""kill -9 at every step of the chain: what was acknowledged is published, exactly once.

Each fault point kills the process that reaches it, once. The job that uploads does what any job
does: it tries again until it is acknowledged.
"""

import http.client
import json
import urllib.error
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from config.embedded.running import Running, running
from tests.embedded.family import ask, eventually, is_published, upload

POINTS = (
    "artifacts.receiving",
    "artifacts.promoting",
    "artifacts.received",
    "artifacts.sealing",
    "artifacts.sealed",
    "provenance.claimed",
    "provenance.certified",
    "provenance.logged",
    "provenance.signed",
    "provenance.recorded",
)
# A killed worker's lease lasts a minute, and five of the points kill a worker.
RECOVERY_SECONDS = 240


def is_absent(trigger: Path) -> bool:
    return not trigger.exists()


def upload_until_acknowledged(instance: Running, name: str) -> tuple[dict[str, Any], int]:
    """The acknowledged artifact, and how often the upload had to be tried."""
    answers = []

    def tried() -> bool:
        try:
            answers.append(upload(instance, name))
        except (urllib.error.URLError, ConnectionError, http.client.HTTPException):
            answers.append({})
        return bool(answers[-1])

    eventually(tried, f"{name} is acknowledged", seconds=60)
    return answers[-1], len(answers)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_publishes_every_acknowledged_upload_exactly_once(tmp_path: Path) -> None:
    triggers = {point: tmp_path / point for point in POINTS}
    settings = {
        "STRONGROOM_PROFILE": "test",
        "STRONGROOM_FAULT_POINTS": " ".join(f"{p}={trigger}" for p, trigger in triggers.items()),
    }
    with running(tmp_path / "data", settings=settings) as instance:
        acknowledged = {}
        for point, trigger in triggers.items():
            trigger.touch()
            name = f"{point}.bin"
            acknowledged[name], tries = upload_until_acknowledged(instance, name)
            assert (tries > 1) == point.startswith("artifacts."), (point, tries)
            if point.startswith("provenance."):
                eventually(partial(is_absent, trigger), f"{name} killed a worker")

        eventually(
            lambda: all(is_published(instance, one) for one in acknowledged.values()),
            "everything is published",
            seconds=RECOVERY_SECONDS,
        )

        assert not [point for point, trigger in triggers.items() if trigger.exists()]
        published = Counter[str]()
        for artifact in acknowledged.values():
            found = ask(instance, "GET", f"/api/v1/artifacts/{artifact['id']}/verification")
            assert found["verdict"] == "passed", json.dumps(found)
            assert len(found["attestations"]) == 1
        path = f"/api/v1/projects/{instance.report.project}/builds"
        for build in ask(instance, "GET", path)["builds"]:
            whole = ask(instance, "GET", f"/api/v1/builds/{build['id']}")
            assert whole["state"] == "published"
            published.update(one["path"] for one in whole["artifacts"])
        assert published == Counter(acknowledged.keys())
