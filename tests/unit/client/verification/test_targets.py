"""Which artifact an argument means, and which file it becomes."""

from pathlib import Path
from uuid import UUID

import pytest

from client.errors import AnswerNotUnderstood, WrongUsage
from client.origin import Origin
from client.verification.targets import Meant, named_by_address, target_of

STORE = Origin.parse("https://store.test/below")
ID = UUID("33333333-3333-4333-8333-333333333333")
API = "https://store.test/below/api/v1"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("dist/tool", Meant(path="dist/tool")),
        (f"{API}/artifacts/{ID}", Meant(artifact=ID)),
        (f"{API}/artifacts/{ID}/download", Meant(artifact=ID)),
        (
            f"{API}/projects/acme/widget/builds/{ID}/artifacts/dist/na%C3%AFve",
            Meant(path="dist/naïve", build=ID),
        ),
    ],
)
def test_reads_paths_and_addresses(text: str, meant: Meant) -> None:
    assert named_by_address(text, STORE, "acme/widget") == meant


@pytest.mark.parametrize(
    "text",
    [
        f"https://elsewhere.test/below/api/v1/artifacts/{ID}",
        f"https://store.test/api/v1/artifacts/{ID}",
        f"http://store.test/below/api/v1/artifacts/{ID}",
        f"{API}/artifacts/first",
        f"{API}/builds/{ID}",
        f"{API}/projects/acme/other/builds/{ID}/artifacts/dist/tool",
        f"{API}/projects/acme/widget/builds/first/artifacts/dist/tool",
    ],
)
def test_refuses_addresses_of_anything_else(text: str) -> None:
    with pytest.raises(WrongUsage):
        named_by_address(text, STORE, "acme/widget")


def test_becomes_a_file_here_or_where_it_is_told(tmp_path: Path) -> None:
    assert target_of("dist/tool", None, is_folder=False) == Path("tool")
    assert target_of("dist/tool", "mine", is_folder=False) == Path("mine")
    assert target_of("dist/tool", "new/", is_folder=False) == Path("new/tool")
    assert target_of("dist/tool", str(tmp_path), is_folder=False) == tmp_path / "tool"
    assert target_of("dist/tool", None, is_folder=True) == Path("dist/tool")
    assert target_of("dist/tool", "all", is_folder=True) == Path("all/dist/tool")


@pytest.mark.parametrize("path", ["", "/etc/x", "../x", "a/../../x", "a//b", ".", "a\\b", "a\nb"])
def test_is_never_outside(path: str) -> None:
    with pytest.raises(AnswerNotUnderstood):
        target_of(path, "all", is_folder=True)
