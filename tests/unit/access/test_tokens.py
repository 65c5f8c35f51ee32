"""The store's own tokens: recognisable, checked before any query, never shown by accident."""

from collections.abc import Callable

import pytest

from access.domain import tokens
from access.domain.tokens import TokenKind
from access.errors import TokenMalformed


@pytest.mark.parametrize(("kind", "prefix"), [(TokenKind.API, "srt_"), (TokenKind.UPLOAD, "sru_")])
def test_starts_with_the_prefix_of_its_kind(kind: TokenKind, prefix: str) -> None:
    made = tokens.make(kind)

    assert made.text.startswith(prefix)
    assert len(made.text) == 40
    assert tokens.parse(made.text) == made


def test_draws_a_new_one_each_time() -> None:
    assert len({tokens.make(TokenKind.API).text for _ in range(100)}) == 100


def test_keeps_one_checksum_for_ever() -> None:
    """A frozen vector: secret scanners are told this rule once."""
    text = "srt_" + "0" * 30 + "0x0kxR"

    assert tokens.parse(text).kind is TokenKind.API


@pytest.mark.parametrize("position", range(40))
def test_refuses_a_token_with_one_character_changed(position: int) -> None:
    text = tokens.make(TokenKind.API).text
    other = "A" if text[position] != "A" else "B"
    forged = text[:position] + other + text[position + 1 :]

    assert tokens.parse(text).text == text
    with pytest.raises(TokenMalformed):
        tokens.parse(forged)


def test_refuses_a_prefix_that_was_swapped() -> None:
    text = tokens.make(TokenKind.API).text

    with pytest.raises(TokenMalformed):
        tokens.parse(text.replace("srt_", "sru_"))


@pytest.mark.parametrize(
    "change",
    [
        lambda _text: "",
        lambda text: text[:-1],
        lambda text: text + "0",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text.replace("srt_", "ghp_"),
        lambda _text: "srt_" + "0" * 30 + "00000é",
        lambda _text: "srt_" + "٣" * 36,
        lambda _text: "\x00" * 40,
        lambda _text: "s" * 1_000_000,
    ],
)
def test_refuses_what_has_another_shape_and_does_not_repeat_it(
    change: Callable[[str], str],
) -> None:
    text = tokens.make(TokenKind.API).text
    presented = change(text)

    with pytest.raises(TokenMalformed) as refused:
        tokens.parse(presented)

    assert text[4:20] not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_shows_its_text_only_to_who_asks_for_it() -> None:
    made = tokens.make(TokenKind.UPLOAD)

    assert made.text not in f"{made} {made!r} {[made]}"


def test_is_looked_up_by_the_sha256_of_its_text() -> None:
    made = tokens.make(TokenKind.UPLOAD)

    assert len(made.sha256) == 64
    assert made.text not in made.sha256
