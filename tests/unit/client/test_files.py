"""Which files a pattern means, their paths, and what is refused before anything is sent."""

import os
from pathlib import Path

import pytest

from artifacts.domain.names import UnsafePath
from client.errors import WrongUsage
from client.files import files_meant, hash_files
from client.manifest import read_manifest, union, write_manifest
from kernel.digest import Sha256


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    here = tmp_path / "here"
    for name in ("dist/a.whl", "dist/sub/b.whl", "dist/.hidden", "dist/[x].txt", "top.txt"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(name)
    (tmp_path / "secret").write_text("not for others")
    return here


def paths(folder: Path, *patterns: str, root: Path | None = None) -> list[str]:
    return [one.path for one in files_meant(patterns, root=root or folder, folder=folder)]


def test_finds_files_as_the_shell_does(folder: Path) -> None:
    assert paths(folder, "top.txt") == ["top.txt"]
    assert paths(folder, "dist/*.whl") == ["dist/a.whl"]
    assert paths(folder, "dist/**/*.whl") == ["dist/a.whl", "dist/sub/b.whl"]
    assert paths(folder, "*.txt", "top.txt", "./top.txt") == ["top.txt"]
    assert paths(folder, "dist/[x].txt") == ["dist/[x].txt"]
    assert paths(folder, str(folder / "top.txt")) == ["top.txt"]


def test_means_all_that_is_in_a_folder(folder: Path) -> None:
    everything = ["dist/.hidden", "dist/[x].txt", "dist/a.whl", "dist/sub/b.whl"]

    assert paths(folder, "dist") == everything
    assert paths(folder, "dist", root=folder / "dist") == [one[5:] for one in everything]


@pytest.mark.parametrize("pattern", ["../secret", "../*", "/etc/hostname", "dist/../../secret"])
def test_refuses_what_is_outside_of_the_root(folder: Path, pattern: str) -> None:
    with pytest.raises(WrongUsage) as refused:
        paths(folder, pattern)

    assert refused.value.facts.get("reason") in ("outside of the root", "no file matches")


def test_refuses_a_link_that_leads_out_of_the_root(folder: Path) -> None:
    (folder / "dist" / "inside").symlink_to(folder / "top.txt")
    assert "dist/inside" in paths(folder, "dist")
    (folder / "dist" / "stolen").symlink_to(folder.parent / "secret")

    with pytest.raises(WrongUsage) as refused:
        paths(folder, "dist")

    assert refused.value.facts["reason"] == "a link that leads out of the root"


def test_refuses_a_folder_that_a_link_leads_out_to(folder: Path) -> None:
    (folder / "dist" / "out").symlink_to(folder.parent)

    with pytest.raises(WrongUsage):
        paths(folder, "dist")


def test_refuses_what_is_no_file(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "nowhere").symlink_to(folder / "absent")

    for pattern in ("pipe", "nowhere", "absent.txt", "*.rpm"):
        with pytest.raises(WrongUsage):
            paths(folder, pattern)


def test_says_every_pattern_that_means_nothing(folder: Path) -> None:
    with pytest.raises(WrongUsage) as refused:
        paths(folder, "*.rpm", "top.txt", "*.deb")

    assert refused.value.facts["patterns"] == ["*.rpm", "*.deb"]


def test_refuses_a_path_that_the_store_would_not_take(folder: Path) -> None:
    (folder / "back\\slash").write_text("x")

    with pytest.raises(UnsafePath):
        paths(folder, "back*")


def test_hashes_what_it_read(folder: Path) -> None:
    read: list[int] = []

    hashed = hash_files(
        files_meant(["dist"], root=folder, folder=folder), jobs=2, on_bytes=read.append
    )

    assert [one.size_bytes for one in hashed] == [12, 12, 10, 14]
    assert sum(read) == 48
    assert all(len(one.digest.hex) == 64 for one in hashed)


def test_joins_manifests_and_refuses_two_that_contradict(tmp_path: Path) -> None:
    one, two = {"a": Sha256("1" * 64)}, {"b": Sha256("2" * 64), "a": Sha256("1" * 64)}
    document = {"files": [{"path": "a", "sha256": "1" * 64, "more": 1}]}
    write_manifest(tmp_path / "one.json", document)

    assert read_manifest(tmp_path / "one.json") == one
    assert union([("one", one), ("two", two)]) == two
    with pytest.raises(WrongUsage) as refused:
        union([("one", one), ("three", {"a": Sha256("3" * 64)})])
    assert refused.value.facts["path"] == "a"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"files": 1}', '{"files": [{"path": "a", "sha256": "1"}]}', "[" * 9999],
)
def test_refuses_what_is_no_manifest(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.json").write_text(text)

    with pytest.raises(WrongUsage):
        read_manifest(tmp_path / "m.json")
