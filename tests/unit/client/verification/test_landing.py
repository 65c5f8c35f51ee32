"""A download's file: nameless until it is verified, and then never in place of another."""

from pathlib import Path

import pytest

from client.errors import WrongUsage
from client.landing import give_name, nameless
from client.verification.errors import FileExists


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_is_read_by_its_owner_alone_until_it_has_its_name(tmp_path: Path) -> None:
    target = tmp_path / "tool"

    with nameless(target) as landed:
        landed.opened.write(b"whole")
        before = landed.place.stat().st_mode & 0o777
        seen = names(tmp_path)
        give_name(landed, target, may_replace=False)

    assert before == 0o600
    assert "tool" not in seen
    assert (names(tmp_path), target.read_bytes()) == (["tool"], b"whole")
    assert target.stat().st_mode & 0o077 == target.stat().st_mode & 0o044


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_is_gone_when_anything_goes_wrong(tmp_path: Path, failure: type[BaseException]) -> None:
    def begin() -> None:
        with nameless(tmp_path / "tool") as landed:
            landed.opened.write(b"half")
            raise failure

    with pytest.raises(failure):
        begin()

    assert names(tmp_path) == []


def test_replaces_nothing_that_appeared_in_the_meantime(tmp_path: Path) -> None:
    target = tmp_path / "tool"

    with nameless(target) as landed:
        target.write_bytes(b"mine")
        with pytest.raises(FileExists):
            give_name(landed, target, may_replace=False)

    assert (names(tmp_path), target.read_bytes()) == (["tool"], b"mine")


def test_writes_through_no_link(tmp_path: Path) -> None:
    elsewhere, target = tmp_path / "elsewhere", tmp_path / "tool"
    elsewhere.write_bytes(b"mine")
    target.symlink_to(elsewhere)

    with nameless(target) as landed:
        landed.opened.write(b"new")
        with pytest.raises(FileExists):
            give_name(landed, target, may_replace=False)
        give_name(landed, target, may_replace=True)

    assert (elsewhere.read_bytes(), target.read_bytes()) == (b"mine", b"new")
    assert not target.is_symlink()


def test_says_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(WrongUsage), nameless(tmp_path / "file" / "tool"):
        pytest.fail("there is no such folder")
