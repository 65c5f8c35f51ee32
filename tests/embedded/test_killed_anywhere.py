"""kill -9 at every step of the chain: what was acknowledged is published, exactly once.

Each fault point kills the process that reaches it, once. The job that uploads does what any job
does: it tries again until it is acknowledged.
"""

import http.client
import json
import urllib.error
from collections import Counter
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from config.embedded.running import Running, running
from tests.embedded.family import ask, eventually, is_published, upload

POINTS = (
    "artifacts.receiving",
    "artifacts.promoting",
    "artifacts.received",
    "artifacts.adding",
    "artifacts.added",
    "artifacts.sealing",
    "artifacts.sealed",
    "provenance.claimed",
    "provenance.certified",
    "provenance.logged",
    "provenance.signed",
    "provenance.recorded",
)
# Reached only by a file of a build that was opened first.
OF_OPEN_BUILDS = ("artifacts.adding", "artifacts.added")
# A killed worker's lease lasts a minute, and five of the points kill a worker.
RECOVERY_SECONDS = 240


def builds(instance: Running) -> str:
    return f"/api/v1/projects/{instance.report.project}/builds"


def is_absent(trigger: Path) -> bool:
    return not trigger.exists()


def upload_until_acknowledged(
    instance: Running, name: str, *, to_open_build: bool
) -> tuple[dict[str, Any], int]:
    """The acknowledged artifact, and how often the upload had to be tried."""
    answers = []
    data = f"the bytes of {name}".encode()
    build = ask(instance, "POST", builds(instance), {}) if to_open_build else None

    def tried() -> bool:
        try:
            if build is None:
                answers.append(upload(instance, name))
            else:
                path = f"/api/v1/builds/{build['id']}/files/{name}"
                answers.append(ask(instance, "PUT", path, data))
        except (urllib.error.URLError, ConnectionError, http.client.HTTPException):
            answers.append({})
        return bool(answers[-1])

    eventually(tried, f"{name} is acknowledged", seconds=60)
    if build is not None:
        files = [{"path": name, "sha256": sha256(data).hexdigest()}]
        ask(instance, "POST", f"/api/v1/builds/{build['id']}/seal", {"files": files})
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
            acknowledged[name], tries = upload_until_acknowledged(
                instance, name, to_open_build=point in OF_OPEN_BUILDS
            )
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
        for build in ask(instance, "GET", builds(instance))["builds"]:
            whole = ask(instance, "GET", f"/api/v1/builds/{build['id']}")
            assert whole["state"] == "published"
            published.update(one["path"] for one in whole["artifacts"])
        assert published == Counter(acknowledged.keys())
