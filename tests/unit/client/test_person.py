"""Whoever sits at the terminal …"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
ASK: Final = "from client.person import ask; print(repr(ask('Write acme/widget to go on:')))"


def test_is_asked_and_answers_with_a_line() -> None:
    terminal, end = os.openpty()
    asking = subprocess.Popen(
        [sys.executable, "-c", ASK], cwd=ROOT, stdin=end, stderr=end, stdout=subprocess.PIPE
    )
    os.close(end)
    try:
        shown = b""
        while not shown.endswith(b"to go on: "):
            shown += os.read(terminal, 100)
        os.write(terminal, b" acme/widget \n")
        answered, _ = asking.communicate(timeout=60)
    finally:
        os.close(terminal)

    assert answered == b"'acme/widget'\n"


def test_is_nobody_where_there_is_no_terminal() -> None:
    told = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        input=b"acme/widget\n",
        capture_output=True,
        check=True,
    )

    assert (told.stdout, told.stderr) == (b"''\n", b"")
