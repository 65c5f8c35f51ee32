"""What is said, and what a hostile store or file name cannot make it say; how commands end."""

import io
import json

import pytest

from client.console import Console, fact_lines, safe, size
from client.errors import StoreRefused, StoreUnreachable, WrongUsage, exit_code
from client.exits import BY_KIND, ExitCode, exit_code_of, kind_of_status
from kernel.errors import Kind


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def err() -> io.StringIO:
    return io.StringIO()


def hostile(text: str) -> StoreRefused:
    return StoreRefused(status=409, code=text, title=text, facts={text: text, "list": [text]})


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[2Jcleared",
        "two\nlines",
        "two\rlines",
        "::set-output name=a::b",
        " ::add-path::/tmp",
        "##[command]x",
        "##vso[task.setvariable]x",
        "\u202egnp.exe",
        "\u2028line",
        "\u200bhidden",
    ],
)
@pytest.mark.parametrize("environ", [{}, {"GITHUB_ACTIONS": "true", "CI": "true"}])
def test_shows_hostile_words_as_words(
    out: io.StringIO, err: io.StringIO, text: str, environ: dict[str, str]
) -> None:
    console = Console(out=out, err=err, environ=environ)

    console.say(text)
    console.note(text)
    console.warn(text)
    console.progress(text)
    console.refused(hostile(text))

    own = ("::error title=strongroom ", "::warning::")
    lines = (out.getvalue() + err.getvalue()).split("\n")
    assert not [char for char in "".join(lines) if char in "\x1b\r\u202e\u2028\u200b"]
    commands = [line for line in lines if line.lstrip().startswith(("::", "##"))]
    assert all(line.startswith(own) for line in commands), commands
    # Two at most: ours. What follows `title=` cannot end the command and begin another.
    assert len(commands) <= 2


def test_leaves_plain_words_alone() -> None:
    assert safe("naïve widget, v1.0: 100 %") == "naïve widget, v1.0: 100 %"


def test_keeps_the_result_apart_from_everything_else(out: io.StringIO, err: io.StringIO) -> None:
    console = Console(is_json=True, out=out, err=err)

    console.say("for people")
    console.result({"state": "sealed"})

    assert json.loads(out.getvalue()) == {"state": "sealed"}
    assert err.getvalue() == "for people\n"


def test_says_refusals_even_when_it_is_quiet(out: io.StringIO, err: io.StringIO) -> None:
    console = Console(is_quiet=True, out=out, err=err)

    console.say("a result")
    console.note("a note")
    console.refused(WrongUsage(option="--jobs"), store="https://store.example")

    assert out.getvalue() == ""
    assert err.getvalue().splitlines() == [
        "error: The command cannot be understood as it was given.",
        "  code: wrong-usage",
        "  option: --jobs",
        "  more: https://store.example/problems/wrong-usage",
    ]


def test_shows_every_fact_and_ends_long_lists() -> None:
    facts = {
        "missing": {"count": 1, "files": ["a", "b"]},
        "differing": {"count": 100, "files": [{"path": str(n)} for n in range(100)]},
        "type": "https://store.example/problems/build-differs",
    }

    lines = fact_lines(facts)

    assert lines[:3] == ["missing:", "  count: 1", "  files: a, b"]
    assert lines[-1].strip() == "… and 40 more"
    assert not [line for line in lines if line.startswith("type")]


def test_says_sizes_as_people_do() -> None:
    assert [size(n) for n in (0, 1023, 1024, 5 * 1024**3)] == [
        "0 bytes",
        "1023 bytes",
        "1.0 KiB",
        "5.0 GiB",
    ]


def test_ends_every_refusal_with_a_code_of_its_own() -> None:
    assert set(BY_KIND) == set(Kind)
    assert exit_code(WrongUsage()) is ExitCode.USAGE
    assert exit_code(StoreUnreachable()) is ExitCode.UNREACHABLE
    assert exit_code_of("path-taken", Kind.CONFLICT) is ExitCode.REFUSED
    assert exit_code_of("project-not-found", Kind.NOT_FOUND) is ExitCode.NOT_FOUND


@pytest.mark.parametrize(
    ("status", "ends"),
    [
        (401, 1),
        (403, 1),
        (404, 3),
        (405, 5),
        (409, 1),
        (418, 1),
        (429, 4),
        (301, 5),
        (500, 4),
        (502, 4),
        (507, 4),
    ],
)
def test_ends_the_same_way_for_a_proxy_as_for_the_store(status: int, ends: int) -> None:
    assert exit_code_of("http", kind_of_status(status)) == ends
