"""Every command in the documentation is run, or a reader can see why not and its form is right."""

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Final

import pytest
import yaml

from config.settings_reference import SETTINGS
from tests.factories.doc_session import bash, failures, shows
from tests.factories.pages import PAGES, Block, Step, Treatment, blocks

ALL: Final = [block for page in PAGES for block in blocks(page)]
CHECKED: Final = [block for block in ALL if block.treatment in (Treatment.NOT_RUN, Treatment.DATA)]
# Shown by the pages' renderer; not data that a program of ours reads.
DRAWN: Final = frozenset({"mermaid", "text", ""})
SHELL: Final = frozenset({"console", "sh"})


def place(block: Block) -> str:
    return block.place


def test_decides_about_every_block_of_commands() -> None:
    assert [block.place for block in ALL if block.treatment is None] == []


@pytest.mark.parametrize("block", CHECKED, ids=place)
def test_has_a_form_that_its_program_reads(block: Block) -> None:
    if block.language in SHELL:
        _check_shell(block)
    elif block.language in ("yaml", "yml"):
        assert isinstance(yaml.safe_load(block.body), dict)
    elif block.language == "json":
        json.loads(block.body)
    elif block.language == "ini":
        _check_settings(block)
    else:
        assert block.language in DRAWN, f"nobody checks {block.language}"


def _check_shell(block: Block) -> None:
    text = "\n".join(step.command for step in block.steps) or block.body.replace("$ ", "")
    bash = shutil.which("bash") or "/bin/bash"
    read = subprocess.run([bash, "-n"], input=text, text=True, capture_output=True, check=False)
    assert read.returncode == 0, read.stderr


def _check_settings(block: Block) -> None:
    names = [line.split("=", 1)[0] for line in block.body.splitlines() if line[0] != "#"]
    known = {setting.variable for setting in SETTINGS}
    assert [name for name in names if name not in known] == []


def test_gives_reasons_and_not_excuses() -> None:
    short = [block.place for block in ALL if block.reason is not None and len(block.reason) < 20]

    assert short == []


def test_counts_what_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    commands: Counter[Treatment] = Counter()
    for block in ALL:
        if block.treatment is not None:
            commands[block.treatment] += len(block.steps) if block.language == "console" else 1

    with capsys.disabled():
        print("\nThe documentation's commands and blocks:")  # noqa: T201 - the count is the answer
        for treatment in Treatment:
            print(f"  {commands[treatment]:4d}  {treatment.value}")  # noqa: T201 - as above
        for block in ALL:
            if block.reason is not None:
                print(f"        {block.place}: {block.reason}")  # noqa: T201 - as above
    assert commands[Treatment.SESSION] > commands[Treatment.NOT_RUN]


def _blocks_of(tmp_path: Path, text: str) -> list[Block]:
    page = tmp_path / "page.md"
    page.write_text(text)
    return list(blocks(page))


def test_reads_commands_with_their_lines_heredocs_and_what_is_shown(tmp_path: Path) -> None:
    text = (
        "```console\n$ one \\\n    two\nshown\n  more\n"
        "$ cat <<END\n$ not a command\nEND\n$ three\n```\n"
        "   ```console production\n   $ four\n   ```\n"
    )

    first, second = _blocks_of(tmp_path, text)

    assert first.steps == [
        Step("one \\\n    two", ("shown", "  more")),
        Step("cat <<END\n$ not a command\nEND", ()),
        Step("three", ()),
    ]
    assert second.steps == [Step("four", ())]
    assert (first.treatment, second.treatment) == (Treatment.SESSION, Treatment.PRODUCTION)


@pytest.mark.parametrize(
    ("text", "treatment"),
    [
        ("```sh\nls\n```\n", None),
        ("```console elsewhere\n$ ls\n```\n", None),
        ("```yaml\na: b\n```\n", None),
        ("<!-- not run: needs a machine that nobody has -->\n```sh\nls\n```\n", Treatment.NOT_RUN),
        ("```json\n{}\n```\n", Treatment.DATA),
        ("```console cosign-3 key\n$ ls\n```\n", Treatment.TOOL),
    ],
)
def test_takes_no_block_of_commands_without_a_mark(
    tmp_path: Path, text: str, treatment: Treatment | None
) -> None:
    (block,) = _blocks_of(tmp_path, text)

    assert block.treatment is treatment


@pytest.mark.parametrize(
    ("shown", "output", "same"),
    [
        ([], "anything", True),
        (["passed"], "passed\n", True),
        (["passed"], "passed by\n", False),
        (["passed; level=…"], "passed; level=2\n", True),
        (["one", "…", "three"], "one\ntwo\nand a half\nthree\n", True),
        (["one", "three"], "one\ntwo\nthree\n", False),
        (["one", ""], "one", True),
        (["a.c"], "abc", False),
    ],
)
def test_compares_what_is_shown(shown: list[str], output: str, *, same: bool) -> None:
    assert shows(shown, output) is same


def test_stops_at_the_first_command_that_fails(tmp_path: Path) -> None:
    steps = [Step("touch before", ()), Step("false", ()), Step("touch after", ())]
    here = bash(folder=tmp_path, environment={"PATH": os.environ["PATH"]}, timeout=30)

    (problem,) = failures(steps, here, as_shown={})

    assert "$ false" in problem
    assert sorted(path.name for path in tmp_path.iterdir()) == ["before"]
