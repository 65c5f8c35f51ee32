"""It gives up on a child that keeps dying, stops the others, and says why.

The supervisor adopts and ends every process below it, so it runs in a process of its own.
"""

import json
import subprocess
import sys
from pathlib import Path

DRIVER = """
import json, sys
from pathlib import Path
from config.embedded.lineage import Lineage
from config.embedded.programs import Program
from config.embedded.supervisor import ProgramFailed, Supervisor

logs, programs = Path(sys.argv[1]), json.loads(sys.argv[2])
lineage = Lineage("driver:1", logs)
say = lambda line: print(line, flush=True)
try:
    with Supervisor(folder=logs, logs=logs, lineage=lineage, say=say) as supervisor:
        supervisor.start(
            Program(name, ["/bin/sh", "-c", script], {}, grace_seconds=0.2)
            for name, script in programs.items()
        )
        supervisor.watch()
except ProgramFailed as failure:
    print(failure)
    sys.exit(1)
"""


def supervise(logs: Path, **programs: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", DRIVER, str(logs), json.dumps(programs)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def test_gives_up_on_a_child_that_keeps_dying(tmp_path: Path) -> None:
    steady = "echo $$ > steady.pid; exec sleep 300"

    ended = supervise(tmp_path, steady=steady, faulty="echo the disk is upside down; exit 3")

    assert ended.returncode == 1
    assert ended.stdout.count("faulty ended with status 3; starting it again in") == 4
    assert "faulty ended with status 3, 5 times within a minute" in ended.stdout
    assert "the disk is upside down" in ended.stdout
    assert "steady" not in ended.stdout
    steady_pid = int((tmp_path / "steady.pid").read_text())
    assert not Path(f"/proc/{steady_pid}").exists()


def test_kills_a_child_that_does_not_stop(tmp_path: Path) -> None:
    stubborn = "trap '' TERM; echo $$ > stubborn.pid; while :; do sleep 1; done"

    ended = supervise(tmp_path, stubborn=stubborn, faulty="exit 3")

    assert "stubborn does not stop; killing it" in ended.stdout
    stubborn_pid = int((tmp_path / "stubborn.pid").read_text())
    assert not Path(f"/proc/{stubborn_pid}").exists()


def test_ends_what_a_dead_child_leaves_behind(tmp_path: Path) -> None:
    """The shell dies and leaves two children: one of its group, one that left the group."""
    orphaning = (
        "sleep 301 & echo $! > one.pid; setsid sleep 302 & echo $! > two.pid; sleep 0.2; kill -9 $$"
    )

    supervise(tmp_path, orphaning=orphaning)

    for name in ("one", "two"):
        orphan = int((tmp_path / f"{name}.pid").read_text())
        assert not Path(f"/proc/{orphan}").exists()
