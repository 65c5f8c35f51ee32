"""Ten differences of each kind among many keys are found and repaired, in constant memory.

`python -m tests.bench.reconcile` runs the same with 100,000 keys and prints the figures.
"""

import json
import os
from pathlib import Path
from uuid import uuid4

import pytest

from artifacts.models import Blob
from tests.factories.differences import ADOPTED, OF_EACH, filled, plant, reconciled
from tests.factories.s3_server import ACCESS_KEY, SECRET_KEY, S3Server

KEYS = int(os.environ.get("RECONCILE_KEYS", "1500"))
FIGURES = os.environ.get("RECONCILE_FIGURES")
MOST_MEBIBYTES = 32  # two pages of rows and keys; a list of the bucket would be more


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "directory":
        return str(tmp_path / "blobs")
    server: S3Server = request.getfixturevalue("s3_server")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    return f"{server.endpoint} {server.new_bucket(f'many-{uuid4()}')}"


@pytest.mark.timeout(120 + KEYS / 20)
@pytest.mark.parametrize("place", ["directory", "s3"], indirect=True)
def test_finds_and_repairs_ten_of_each(
    transactional_db: None,  # noqa: ARG001 - the tables, really committed
    request: pytest.FixtureRequest,
    place: str,
) -> None:
    filled(place, KEYS)
    plant(place)

    told = reconciled(place)

    if FIGURES is not None:
        with Path(FIGURES).open("a") as lines:
            lines.write(json.dumps({"place": request.node.callspec.id, **told}) + "\n")
    assert told["keys"] == KEYS + ADOPTED
    assert told["found"] == {
        "missing": OF_EACH,
        "differs": OF_EACH,
        "orphan": OF_EACH + ADOPTED,
        "abandoned": OF_EACH,
        "unheld": 0,
        "overheld": 0,
    }
    assert told["done"] == {
        "adopted": ADOPTED,
        "marked": 2 * OF_EACH - ADOPTED,
        "collected": OF_EACH,
        "gone": ADOPTED,
        "given-up": OF_EACH,
    }
    assert not any(told["left"].values())
    assert Blob.objects.filter(damaged_at__isnull=False).count() == 2 * OF_EACH - ADOPTED
    assert told["ended_mebibytes"] - told["before_mebibytes"] < MOST_MEBIBYTES
