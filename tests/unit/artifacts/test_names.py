"""A name of an artifact …"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifacts.domain.names import (
    UnsafeName,
    UnsafePath,
    is_path,
    is_slug,
    parse_path,
    parse_slug,
)


@pytest.mark.parametrize("slug", ["a", "acme", "acme-tools", "a.b_c-d", "0", "a" * 64])
def test_is_a_slug(slug: str) -> None:
    assert is_slug(slug)
    assert parse_slug(slug, field="organization") == slug


@pytest.mark.parametrize(
    "slug",
    ["", "A", "-a", "a-", "a--b", "a..b", "a b", "a/b", "é", "a" * 65, "a\n", "a\x00", "."],
)
def test_is_no_slug(slug: str) -> None:
    assert not is_slug(slug)
    with pytest.raises(UnsafeName):
        parse_slug(slug, field="organization")


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "dist/app-1.0.tar.gz",
        ".hidden",
        "a/.b",
        "..a/b..",
        "a b/c d",
        "café/日本語.txt",
        "100%",
        "ab:c",
        "C/x",
        "x" * 255,
        "/".join(["x" * 255] * 4),
        "+?#&=~@!$'()*,;",
    ],
)
def test_is_kept_as_it_is(path: str) -> None:
    assert parse_path(path) == path


@pytest.mark.parametrize(
    ("path", "rule", "segment"),
    [
        ("", "empty", None),
        ("/etc/passwd", "relative", None),
        ("a//b", "empty segment", 2),
        ("a/", "empty segment", 2),
        (".", "dots", 1),
        ("..", "dots", 1),
        ("a/../b", "dots", 2),
        ("a/...", "dots", 2),
        ("a\\b", "backslash", None),
        ("C:/x", "drive", None),
        ("c:x", "drive", None),
        (" a", "space", 1),
        ("a/b ", "space", 2),
        ("a /b", "space", 1),
        ("a/\u00a0b", "space", 2),
        ("a\x00b", "control", None),
        ("a\nb", "control", None),
        ("a\x7f", "control", None),
        ("a\u0085", "control", None),
        ("gpj.\u202eexe", "direction", None),
        ("a\u2066b", "direction", None),
        ("a\u200bb", "invisible", None),
        ("a\ufeff", "invisible", None),
        ("a\u2028b", "invisible", None),
        ("a\ud800", "invisible", None),
        ("cafe\u0301", "normalization", None),
        ("x" * 256, "255 bytes", 1),
        ("é" * 128, "255 bytes", 1),
        ("/".join(["x" * 254] * 4) + "/xxxxx", "1024 bytes", None),
    ],
)
def test_is_refused_with_the_rule_and_the_place(path: str, rule: str, segment: int | None) -> None:
    with pytest.raises(UnsafePath) as refused:
        parse_path(path)

    assert rule in str(refused.value.facts["rule"])
    assert refused.value.facts.get("segment") == segment
    assert str(refused.value.facts["found"]).isascii()


@given(st.text(max_size=40))
def test_never_leaves_the_folder_it_is_unpacked_in(path: str) -> None:
    if not is_path(path):
        return

    segments = path.split("/")
    assert ".." not in segments
    assert "." not in segments
    assert all(segments)
    assert "\x00" not in path
