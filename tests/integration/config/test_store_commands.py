"""`manage.py reconcile` and `mend_blobs`, on the folder that the tests' store is."""

import re
import uuid
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from artifacts import wiring
from artifacts.models import Blob
from config.health import _Waiting
from tests.factories.builds import digest_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def data(request: pytest.FixtureRequest) -> bytes:
    """Each test's own: the folder keeps what other tests have put there."""
    return str(request.node.name).encode()


@pytest.fixture
def blob(data: bytes) -> Blob:
    stored = wiring.blob_store().put([data], expected=None)
    return Blob.objects.create(
        sha256=digest_of(data).hex,
        size_bytes=stored.size_bytes,
        key=stored.key,
        stored_at=timezone.now(),
    )


def path(key: str) -> Path:
    return Path(settings.BLOB_DIRECTORY or "", key)


def run(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out, stderr=StringIO())
    return out.getvalue()


def metrics() -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels.get("difference", "")): sample.value
        for family in _Waiting().collect()
        for sample in family.samples
    }


def test_agrees_then_finds_what_is_lost_and_repairs_it_by_the_report(
    blob: Blob, data: bytes
) -> None:
    assert "rows and bytes agree" in run("reconcile")
    other = wiring.blob_store().put([b"stays"], expected=None)
    path(blob.key).unlink()

    with pytest.raises(CommandError, match=r"reconcile --repair") as found:
        run("reconcile")
    report = re.findall(r"--repair ([0-9a-f-]{36})", str(found.value))[0]

    assert metrics()["strongroom_store_differences", "missing"] == 1
    assert metrics()["strongroom_blobs_damaged", ""] == 0
    assert metrics()["strongroom_blobs_stuck", ""] == 0
    assert f"marked      missing   {blob.key}: nothing, expected {len(data)} bytes" in run(
        "reconcile", "--repair", report
    )
    assert metrics()["strongroom_blobs_damaged", ""] == 1
    assert path(other.key).exists()
    with pytest.raises(CommandError, match="1 blobs stay damaged"):
        run("mend_blobs")
    path(blob.key).write_bytes(data)
    assert run("mend_blobs") == f"{blob.sha256}  in-place\n"


def test_repairs_by_no_report_that_nobody_has_made() -> None:
    with pytest.raises(CommandError, match="no such report"):
        run("reconcile", "--repair", str(uuid.uuid4()))


def test_reads_the_second_copy_where_one_is_named(
    blob: Blob, data: bytes, tmp_path: Path, settings: pytest.FixtureRequest
) -> None:
    settings.SECOND_COPY = str(tmp_path)  # type: ignore[attr-defined]  # pytest-django's own
    wiring._second_store.cache_clear()  # noqa: SLF001 - as a new process has it
    (tmp_path / blob.key).parent.mkdir(parents=True)
    (tmp_path / blob.key).write_bytes(data)
    path(blob.key).unlink()
    Blob.objects.update(damaged_at=timezone.now())
    try:
        assert wiring.copies().second is not None
        assert run("mend_blobs") == f"{blob.sha256}  second-copy\n"
    finally:
        wiring._second_store.cache_clear()  # noqa: SLF001 - as above
