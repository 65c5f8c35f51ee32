"""Looking into an archive …"""

import gzip
import io
import lzma
import os
import random
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import pytest

from artifacts.adapters.archives.opening import open_archive
from artifacts.domain.archives import (
    ArchiveMalformed,
    ArchiveMemberNotFetchable,
    ArchiveMemberNotFound,
    ArchiveTooCostly,
    Limits,
    Member,
    MemberKind,
    NotAnArchive,
)
from artifacts.usecases.browse_archive import HELD_BYTES, again, list_members, measure_member
from kernel.errors import Refusal
from tests.factories.archives import PACKERS, tarred
from tests.fakes.blob_store import MemoryReader

FILES = {"dist/widget": b"the widget", "notes.txt": b"notes " * 1000, "empty": b""}
LARGE = random.Random(7).randbytes(HELD_BYTES + 12345)  # noqa: S311 - only unpackable


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def made(kind: str, files: dict[str, bytes]) -> bytes:
    return zipped(files) if kind == "zip" else tarred(files, kind)


def listed(data: bytes, limits: Limits | None = None) -> list[Member]:
    with open_archive(MemoryReader(data), size_bytes=len(data), limits=limits or Limits()) as found:
        return list(list_members(archive=found, start=0, limit=10**6))


def fetched(data: bytes, path: str, limits: Limits | None = None) -> bytes:
    with open_archive(MemoryReader(data), size_bytes=len(data), limits=limits or Limits()) as found:
        measured = measure_member(archive=found, path=path)
        sent = b"".join(again(archive=found, measured=measured))
    assert measured.digest.hex == sha256(sent).hexdigest()
    return sent


@pytest.mark.parametrize("kind", ["zip", *PACKERS])
def test_shows_and_gives_what_was_put_in(kind: str) -> None:
    data = made(kind, {**FILES, "large": LARGE})

    members = {member.path: member for member in listed(data)}

    assert list(members) == [*FILES, "large"]
    assert all(not member.why_not for member in members.values())
    for path, content in {**FILES, "large": LARGE}.items():
        assert members[path].size_bytes == len(content)
        assert fetched(data, path) == content


@pytest.mark.parametrize("kind", ["zip", *PACKERS])
def test_goes_on_where_the_page_before_ended(kind: str) -> None:
    data = made(kind, {f"{number:03d}": b"x" for number in range(25)})

    with open_archive(MemoryReader(data), size_bytes=len(data), limits=Limits()) as archive:
        page = list_members(archive=archive, start=10, limit=10)

    assert [member.path for member in page] == [f"{number:03d}" for number in range(10, 20)]


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../up", "a/../../up", "a\\b", "C:/x", "a//b", "./a", "a\u202eb"]
)
def test_shows_unsafe_paths_but_never_gives_them(kind: str, path: str) -> None:
    data = made(kind, {path: b"x", "good": b"y"})

    assert [member.path for member in listed(data)] == [path, "good"]
    with pytest.raises(ArchiveMemberNotFetchable):
        fetched(data, path)
    assert fetched(data, "good") == b"y"


def test_shows_links_as_links() -> None:
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    hard = tarfile.TarInfo("hard")
    hard.type, hard.linkname = tarfile.LNKTYPE, "good"
    device = tarfile.TarInfo("device")
    device.type = tarfile.CHRTYPE
    tar = tarred({"good": b"y"}, link=link, hard=hard, device=device)
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(info, "/etc/passwd")

    assert [member.kind for member in listed(tar)] == ["file", "symlink", "other", "other"]
    assert listed(tar)[1].target == "/etc/passwd"
    assert [member.kind for member in listed(packed.getvalue())] == ["symlink"]
    for data, path in ((tar, "link"), (tar, "hard"), (tar, "device"), (packed.getvalue(), "link")):
        with pytest.raises(ArchiveMemberNotFetchable):
            fetched(data, path)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_gives_nothing_that_two_members_claim(kind: str) -> None:
    if kind == "zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("a", "one")
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr("a", "two")
        data = packed.getvalue()
    else:
        data = tarred({"a": b"one"})[:1024] + tarred({"a": b"two"})

    with pytest.raises(ArchiveMemberNotFetchable, match="2 of this path"):
        fetched(data, "a")


def test_gives_nothing_encrypted() -> None:
    data = bytearray(zipped({"a": b"x"}))
    for signature in (b"PK\x03\x04", b"PK\x01\x02"):
        data[data.index(signature) + (6 if signature == b"PK\x03\x04" else 8)] |= 1

    assert listed(bytes(data))[0].is_encrypted
    with pytest.raises(ArchiveMemberNotFetchable, match="encrypted"):
        fetched(bytes(data), "a")


def test_knows_where_a_stored_member_stands() -> None:
    data = zipped(FILES, zipfile.ZIP_STORED)

    with open_archive(MemoryReader(data), size_bytes=len(data), limits=Limits()) as archive:
        start = archive.stored_at("dist/widget")

    assert start is not None
    assert data[start : start + 10] == b"the widget"


@pytest.mark.parametrize("kind", ["zip", *PACKERS])
def test_knows_no_other_member(kind: str) -> None:
    with pytest.raises(ArchiveMemberNotFound):
        fetched(made(kind, FILES), "dist")


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"x", b"no archive" * 100, b"\x28\xb5\x2f\xfd" * 200),
        gzip.compress(b"no tar" * 1000, mtime=0),
    ],
)
def test_is_refused_where_there_is_none(data: bytes) -> None:
    with pytest.raises(NotAnArchive):
        listed(data)


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz", "tar.bz2"])
def test_stops_at_a_bomb(kind: str) -> None:
    data = made(kind, {"zeros": bytes(40 * 1024 * 1024)})

    with pytest.raises(ArchiveTooCostly) as refused:
        fetched(data, "zeros")

    assert refused.value.facts["limit"] == "ratio"
    assert set(refused.value.facts) == {"limit", "allowed", "observed"}


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        (Limits(members=2), "members"),
        (Limits(expanded_bytes=3000), "expanded_bytes"),
        (Limits(seconds=-1), "seconds"),
        (Limits(directory_bytes=100), "directory_bytes"),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_names_the_limit_that_it_stopped_at(kind: str, limits: Limits, limit: str) -> None:
    with pytest.raises(ArchiveTooCostly) as refused:
        fetched(made(kind, FILES), "notes.txt", limits)

    assert refused.value.facts["limit"] == limit


def test_unpacks_nothing_that_wants_a_large_dictionary() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 64 * 1024 * 1024}]
    data = lzma.compress(tarred(FILES), filters=filters)

    with pytest.raises(ArchiveMalformed):
        listed(data, Limits(decompressor_bytes=16 * 1024 * 1024))
    assert len(listed(data)) == 3


def test_reads_no_header_that_claims_to_be_huge() -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 1024**3
    data = header.tobuf(tarfile.USTAR_FORMAT) + bytes(8 * 1024 * 1024)

    with pytest.raises(ArchiveTooCostly) as refused:
        listed(data)

    assert refused.value.facts["limit"] == "directory_bytes"


def test_is_refused_where_a_member_is_not_what_is_said_of_it() -> None:
    data = zipped({"a": b"the widget" * 10}, zipfile.ZIP_STORED)
    damaged = data.replace(b"the widget", b"THE WIDGET", 1)

    with pytest.raises(ArchiveMalformed):
        fetched(damaged, "a")


@dataclass(slots=True)
class Liar:
    """An archive whose one member is another each time it is read, or longer than is said."""

    contents: list[bytes]
    size_bytes: int
    format: str = "lies"

    def members(self) -> Iterator[Member]:
        return iter([Member("a", MemberKind.FILE, self.size_bytes)])

    def chunks(self, path: str) -> Iterator[bytes]:
        del path
        data = self.contents.pop(0)
        return (data[start : start + 1_000_000] for start in range(0, len(data), 1_000_000))

    def stored_at(self, path: str) -> int | None:
        del path
        return None


def test_ends_early_where_a_member_changes_while_it_is_sent() -> None:
    liar = Liar([LARGE, LARGE[:-1] + b"x"], len(LARGE))
    measured = measure_member(archive=liar, path="a")
    sent = bytearray()

    with pytest.raises(ArchiveMalformed):
        sent.extend(chunk for piece in again(archive=liar, measured=measured) for chunk in piece)

    assert measured.data is None
    assert len(sent) < len(LARGE)


def test_is_refused_where_a_member_has_another_size() -> None:
    with pytest.raises(ArchiveMalformed):
        measure_member(archive=Liar([b"12345"], 4), path="a")


@pytest.mark.parametrize("kind", ["zip", *PACKERS])
def test_answers_malformed_archives_with_refusals_only(kind: str) -> None:
    """Not so much a search as a net: a few hundred archives, each broken in another place."""
    whole, chance = made(kind, FILES), random.Random(kind)  # noqa: S311 - the same each time
    if kind == "tar":
        whole = whole[:8192]
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.choice(
                [0, 1, 0x7F, 0xFF, chance.randrange(256)]
            )
        cut = bytes(data[: chance.randrange(len(data))]) if chance.random() < 0.3 else bytes(data)
        try:
            for member in listed(cut):
                if not member.why_not:
                    fetched(cut, member.path)
        except Refusal:
            refused += 1

    assert refused


def test_reads_a_large_archive_in_few_pieces() -> None:
    """What a bucket is asked for: the windows grow while reading goes straight on."""
    asked: list[int] = []

    class Counting:
        path = None

        def chunks(self, start: int, length: int) -> object:
            if length:
                asked.append(length)
            return MemoryReader(data).chunks(start, length)

    data = tarred({"large": os.urandom(8 * 1024 * 1024)}, "tar.gz")
    with open_archive(Counting(), size_bytes=len(data), limits=Limits()) as archive:  # type: ignore[arg-type] # counts only
        list(archive.members())

    assert len(asked) < 15
