"""A machine of its own for one installation: accounts, /etc, /var, /opt, ports, a resolver's names.

Namespaces of the kernel, no container engine. Nothing that is done in it reaches the machine
outside: every folder that it writes to is a layer over the real one. It needs root.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from config.embedded.postgres import binaries

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[2]
INSTALLED: Final = "/opt/strongroom"  # where the checkout lies in the machine
START_SECONDS: Final = 90
_STAND_IN: Final = f"""
set -e
mkdir /opt/stand-ins
cat > /opt/stand-ins/systemctl <<'END'
#!/bin/sh
exec {INSTALLED}/.venv/bin/python {INSTALLED}/tests/factories/production/systemctl.py "$@"
END
chmod 755 /opt/stand-ins/systemctl
"""
SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Machine:
    """A running machine, entered by the process id of its first process."""

    pid: int
    background: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def command(self, *command: str) -> list[str]:
        """What runs `command` in it, as root."""
        return ["nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", *command]

    def run(
        self, *command: str, timeout: float = 120, environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run it to its end; both outputs are one."""
        return subprocess.run(
            self.command(*command),
            env={"PATH": path_inside(), "LANG": "C.UTF-8", "HOME": "/root", **(environment or {})},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *command: str, log: Path) -> None:
        """Start it in the background; it ends with the machine."""
        with log.open("ab") as output:
            self.background.append(
                subprocess.Popen(
                    self.command(*command),
                    env={"PATH": path_inside(), "LC_ALL": "C", "HOME": "/"},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            )


def path_inside() -> str:
    """PATH in the machine: the stand-in for systemctl, PostgreSQL's programs, the system's."""
    return f"/opt/stand-ins:{inside(binaries())}:{INSTALLED}/.cache/bin:{SYSTEM_PATH}"


def inside(path: Path) -> str:
    """Where something of the checkout lies in the machine."""
    return f"{INSTALLED}/{path.relative_to(ROOT)}"


def can_run() -> bool:
    """Whether there can be such a machine here: root may make namespaces, and mount in them."""
    tried = ["unshare", "--mount", "--net", "--pid", "--fork", "mount", "-t", "tmpfs", "t", "/mnt"]
    return (
        os.geteuid() == 0 and not subprocess.run(tried, capture_output=True, check=False).returncode
    )


@contextmanager
def running_machine(layers: Path) -> Iterator[Machine]:
    """A machine with the checkout at /opt/strongroom. `layers` is an empty folder."""
    script = [str(HERE / "machine.sh"), str(layers), str(ROOT), sys.base_prefix]
    kinds = ["--mount", "--net", "--pid", "--mount-proc", "--fork", "--kill-child"]
    with subprocess.Popen(["unshare", *kinds, "sh", *script]) as first:
        background: list[subprocess.Popen[bytes]] = []
        try:
            machine = Machine(_first_process(first), background)
            stand_in = machine.run("sh", "-c", _STAND_IN)
            assert stand_in.returncode == 0, stand_in.stdout
            yield machine
        finally:
            first.kill()
            for process in background:
                process.wait()


def _first_process(unshare: "subprocess.Popen[bytes]") -> int:
    children = Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children")
    deadline = time.monotonic() + START_SECONDS
    while unshare.poll() is None and time.monotonic() < deadline:
        pids = children.read_text().split()
        if pids and Path(f"/proc/{pids[0]}/root/run/machine-is-ready").exists():
            return int(pids[0])
        time.sleep(0.02)
    raise AssertionError("the machine did not start")
