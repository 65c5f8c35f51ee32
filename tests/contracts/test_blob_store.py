"""A blob store … (every adapter keeps the same promises)."""

import errno
import os
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.errors import BlobMissing, DigestMismatch, StorageFull, StorageUnavailable
from artifacts.ports import BlobStore
from kernel.digest import Sha256
from tests.factories.small_disk import small_disk
from tests.fakes.blob_store import MemoryBlobStore

MEBIBYTE = 1024 * 1024
PIECES = [b"one", b"", b"two" * 1000, b"three"]
WHOLE = b"".join(PIECES)


def digest_of(data: bytes) -> Sha256:
    return Sha256(sha256(data).hexdigest())


def read(store: BlobStore, key: str, size_bytes: int) -> bytes:
    with store.open(key, size_bytes=size_bytes) as reader:
        return b"".join(reader.chunks(0, size_bytes))


def files_below(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


@pytest.fixture
def directory(tmp_path: Path) -> DirectoryBlobStore:
    return DirectoryBlobStore(tmp_path)


# Every adapter


def test_gives_back_what_was_put(store: BlobStore) -> None:
    stored = store.put(iter(PIECES), expected=None)

    assert stored.digest == digest_of(WHOLE)
    assert stored.size_bytes == len(WHOLE)
    assert read(store, stored.key, len(WHOLE)) == WHOLE


def test_keeps_the_empty_blob(store: BlobStore) -> None:
    stored = store.put([], expected=digest_of(b""))

    assert stored.size_bytes == 0
    assert read(store, stored.key, 0) == b""


def test_reads_any_part(store: BlobStore) -> None:
    stored = store.put(PIECES, expected=digest_of(WHOLE))

    with store.open(stored.key, size_bytes=stored.size_bytes) as reader:
        assert b"".join(reader.chunks(2, 7)) == WHOLE[2:9]
        assert b"".join(reader.chunks(len(WHOLE) - 5, 5)) == b"three"
        assert b"".join(reader.chunks(5, 0)) == b""


def test_never_uses_a_key_again(store: BlobStore) -> None:
    first = store.put(PIECES, expected=None)
    second = store.put([WHOLE], expected=digest_of(WHOLE))

    assert first.digest == second.digest
    assert first.key != second.key
    assert read(store, second.key, len(WHOLE)) == WHOLE


def test_reads_exactly_what_was_pinned(store: BlobStore) -> None:
    stored = store.put(PIECES, expected=None)

    with store.open(stored.key, size_bytes=stored.size_bytes, pin=stored.pin) as reader:
        assert b"".join(reader.chunks(0, stored.size_bytes)) == WHOLE


def test_refuses_bytes_that_are_not_the_expected_ones(store: BlobStore) -> None:
    with pytest.raises(DigestMismatch) as refused:
        store.put([b"forged"], expected=digest_of(WHOLE))

    assert refused.value.facts["declared"] == digest_of(WHOLE)
    assert refused.value.facts["measured"] == digest_of(b"forged")
    for data in (WHOLE, b"forged"):
        digest = digest_of(data).hex
        with (
            pytest.raises(BlobMissing),
            store.open(f"blobs/sha256/{digest[:2]}/{digest}", size_bytes=len(data)),
        ):
            pass


def test_lets_the_senders_own_error_pass(store: BlobStore) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError(errno.ECONNRESET, "gone")

    with pytest.raises(ConnectionResetError):
        store.put(broken(), expected=None)


@pytest.mark.parametrize(
    "key",
    [
        "blobs/sha256/aa/" + "aa" * 32,
        "blobs/sha256/aa/" + "aa" * 32 + "." + "bb" * 16,
        "blobs/sha256/aa/../../../incoming/x",
        "../../etc/passwd",
        "/etc/passwd",
        "blobs/sha256/ab/" + "aa" * 32,
        "",
    ],
)
def test_says_when_nothing_is_there(store: BlobStore, key: str) -> None:
    with pytest.raises(BlobMissing), store.open(key, size_bytes=3):
        pass


def test_says_when_what_is_there_has_another_size(store: BlobStore) -> None:
    stored = store.put(PIECES, expected=None)

    with pytest.raises(BlobMissing), store.open(stored.key, size_bytes=len(WHOLE) + 1):
        pass


def test_is_ready(store: BlobStore) -> None:
    store.check()


def test_settles_eight_writers_of_the_same_bytes(store: BlobStore) -> None:
    barrier = threading.Barrier(8)
    keys: list[str] = []

    def write() -> None:
        barrier.wait()
        keys.append(store.put(PIECES, expected=None).key)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(keys)) == 8
    assert all(read(store, key, len(WHOLE)) == WHOLE for key in keys)


def test_has_no_room_and_says_so() -> None:
    small = MemoryBlobStore(capacity=10)

    with pytest.raises(StorageFull):
        small.put(PIECES, expected=None)

    assert small.blobs == {}


# The directory's own promises


def test_closes_its_files_to_others(directory: DirectoryBlobStore, tmp_path: Path) -> None:
    directory.put(PIECES, expected=None)

    for path in tmp_path.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_leaves_nothing_of_what_failed(directory: DirectoryBlobStore, tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield WHOLE
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        directory.put(broken(), expected=None)
    with pytest.raises(DigestMismatch):
        directory.put(PIECES, expected=digest_of(b"other"))

    assert files_below(tmp_path) == []


def test_leaves_one_file_of_what_was_stored(directory: DirectoryBlobStore, tmp_path: Path) -> None:
    stored = directory.put(PIECES, expected=None)

    assert files_below(tmp_path) == [tmp_path / stored.key]
    assert stored.key.startswith(f"blobs/sha256/{stored.digest.hex[:2]}/{stored.digest.hex}.")


def test_leaves_readers_the_file_that_they_opened(
    directory: DirectoryBlobStore, tmp_path: Path
) -> None:
    stored = directory.put(PIECES, expected=None)

    with directory.open(stored.key, size_bytes=len(WHOLE)) as reader:
        assert directory.merge(directory.put(PIECES, expected=None), into=stored) == stored
        assert b"".join(reader.chunks(0, len(WHOLE))) == WHOLE

    assert (tmp_path / stored.key).read_bytes() == WHOLE


def test_heals_a_damaged_blob_that_kept_its_size(
    directory: DirectoryBlobStore, tmp_path: Path
) -> None:
    stored = directory.put(PIECES, expected=None)
    (tmp_path / stored.key).write_bytes(bytes(len(WHOLE)))

    directory.merge(directory.put(PIECES, expected=None), into=stored)

    assert (tmp_path / stored.key).read_bytes() == WHOLE


def test_heals_a_damaged_blob_with_good_bytes(
    directory: DirectoryBlobStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stored = directory.put(PIECES, expected=None)
    (tmp_path / stored.key).write_bytes(WHOLE[:-1])
    with pytest.raises(BlobMissing), directory.open(stored.key, size_bytes=len(WHOLE)):
        pass

    directory.merge(directory.put(PIECES, expected=None), into=stored)

    assert read(directory, stored.key, len(WHOLE)) == WHOLE
    assert files_below(tmp_path) == [tmp_path / stored.key]
    assert [record.message for record in caplog.records] == ["damaged blob replaced"]


def test_follows_no_link_out_of_its_folder(directory: DirectoryBlobStore, tmp_path: Path) -> None:
    stored = directory.put(PIECES, expected=None)
    outside = tmp_path / "outside"
    (tmp_path / stored.key).rename(outside)
    (tmp_path / stored.key).symlink_to(outside)

    with pytest.raises(StorageUnavailable), directory.open(stored.key, size_bytes=len(WHOLE)):
        pass


def test_tells_a_reader_that_the_blob_became_shorter(
    directory: DirectoryBlobStore, tmp_path: Path
) -> None:
    stored = directory.put([b"x" * MEBIBYTE], expected=None)

    with directory.open(stored.key, size_bytes=MEBIBYTE) as reader:
        chunks = reader.chunks(0, MEBIBYTE)
        next(chunks)
        os.truncate(tmp_path / stored.key, 10)
        with pytest.raises(StorageUnavailable):
            next(chunks)


def test_offers_the_file_that_holds_the_bytes(directory: DirectoryBlobStore) -> None:
    stored = directory.put(PIECES, expected=None)

    with directory.open(stored.key, size_bytes=len(WHOLE)) as reader:
        assert Path(reader.path).read_bytes() == WHOLE


def test_sweeps_what_a_crash_left_and_nothing_else(
    directory: DirectoryBlobStore, tmp_path: Path
) -> None:
    stored = directory.put(PIECES, expected=None)
    old, young = tmp_path / "incoming" / "old", tmp_path / "incoming" / "young"
    old.write_bytes(b"litter")
    young.write_bytes(b"still arriving")
    now = datetime(2026, 3, 2, tzinfo=UTC)
    os.utime(old, times=(0, (now - timedelta(days=1, seconds=1)).timestamp()))
    os.utime(young, times=(0, (now - timedelta(hours=23)).timestamp()))

    assert directory.sweep(before=now - timedelta(days=1)) == 1

    assert files_below(tmp_path) == sorted([tmp_path / stored.key, young])
    assert directory.sweep(before=now - timedelta(days=1)) == 0


def test_leaves_only_sweepable_litter_when_it_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from artifacts.adapters.directory_store import DirectoryBlobStore\n"
        "def chunks():\n"
        "    yield b'half'\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "DirectoryBlobStore(Path(sys.argv[1])).put(chunks(), expected=None)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == -9
    [litter] = files_below(tmp_path)
    assert litter.parent.name == "incoming"

    directory = DirectoryBlobStore(tmp_path)

    assert directory.sweep(before=datetime(2100, 1, 1, tzinfo=UTC)) == 1
    assert files_below(tmp_path) == []


@pytest.fixture
def limited_to_one_mebibyte() -> Iterator[None]:
    """The kernel's own limit on one file: the write that crosses it fails with EFBIG."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MEBIBYTE, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("limited_to_one_mebibyte")
def test_refuses_what_does_not_fit_and_keeps_nothing_of_it(
    directory: DirectoryBlobStore, tmp_path: Path
) -> None:
    with pytest.raises(StorageFull) as refused:
        directory.put([b"x" * MEBIBYTE, b"y"], expected=None)

    assert refused.value.facts == {"reason": "EFBIG"}
    assert files_below(tmp_path) == []
    assert directory.put([b"x" * MEBIBYTE], expected=None).size_bytes == MEBIBYTE


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """Elsewhere the limit on one file stands in for it, above."""
    with small_disk(tmp_path / "small", mebibytes=2) as folder:
        yield folder


def test_survives_a_full_disk(full_disk: Path) -> None:
    directory = DirectoryBlobStore(full_disk)
    kept = directory.put([b"x" * MEBIBYTE], expected=None)

    with pytest.raises(StorageFull) as refused:
        directory.put([b"y" * MEBIBYTE, b"y" * MEBIBYTE], expected=None)

    assert refused.value.facts == {"reason": "ENOSPC"}
    assert files_below(full_disk) == [full_disk / kept.key]
    assert read(directory, kept.key, MEBIBYTE) == b"x" * MEBIBYTE


@pytest.mark.parametrize(
    "spoil",
    [
        lambda root: (root / "incoming").write_bytes(b"a file where a folder should be"),
        lambda root: (root / "blobs").symlink_to(root / "nowhere"),
    ],
)
def test_is_unavailable_where_it_cannot_write(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(tmp_path)
    directory = DirectoryBlobStore(tmp_path)

    with pytest.raises(StorageUnavailable):
        directory.put(PIECES, expected=None)
    with pytest.raises(StorageUnavailable):
        directory.check()


def test_heals_when_its_folders_were_lost_while_it_ran(
    directory: DirectoryBlobStore, tmp_path: Path
) -> None:
    directory.check()
    (tmp_path / "incoming").rmdir()

    assert directory.put(PIECES, expected=None).size_bytes == len(WHOLE)
