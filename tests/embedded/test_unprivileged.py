"""It gives up root for what refuses root, without losing its own files."""

import os
import subprocess
import sys
from pathlib import Path

from config.embedded.unprivileged import become_unprivileged, owner_of_files

SEES = """
import os, pwd, sys
from pathlib import Path
print(os.geteuid(), bool(pwd.getpwuid(os.geteuid())), Path(sys.argv[1]).read_text())
"""


def test_is_no_longer_root_and_still_reads_behind_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    file = closed / "file"
    file.write_text("readable")
    owner = owner_of_files()
    if owner is not None:
        os.chown(file, *owner)

    seen = subprocess.run(
        [sys.executable, "-c", SEES, str(file)],
        capture_output=True,
        check=True,
        text=True,
        preexec_fn=become_unprivileged,
    ).stdout.split()

    assert int(seen[0]) != 0
    assert seen[1:] == ["True", "readable"]
