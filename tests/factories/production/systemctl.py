"""A stand-in for `systemctl` on a machine without a running systemd (tests only).

It reads the delivered unit files as systemd.unit(5), systemd.service(5) and systemd.exec(5) say and
really starts what they name: with their account, environment, credentials, working directory and
file system, without privileges. System call filters, restarts and watchdogs are not imitated;
`systemd-analyze verify` looks at the whole files.

    systemctl daemon-reload | {start,stop,restart,reload,enable --now} UNIT… | is-active UNIT
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

OWN: Final = Path("/etc/systemd/system")
PACKAGED: Final = Path("/lib/systemd/system")
STATE: Final = Path("/run/units")
LOGS: Final = Path("/var/log/units")
CREDENTIALS: Final = Path("/run/credentials")
START_SECONDS: Final = 60
STOP_SECONDS: Final = 60
# Everything is read-only but what is named; temporary files are the service's own.
SANDBOX: Final = """
set -e
for place in $(cut -d' ' -f2 /proc/self/mounts | tac); do
  case $place in /proc* | /sys* | /dev* | /tmp*) continue ;; esac
  mount -o remount,bind,ro "$place"
done
mount -t tmpfs -o mode=1777 tmpfs /tmp
for place in $WRITABLE; do
  mount --bind "$place" "$place"
  mount -o remount,bind,rw "$place"
done
unset WRITABLE
exec "$@"
"""


class Failed(Exception):
    """A unit did not start; the text is the end of its log."""


class Unit:
    """A unit with its drop-ins: section and key to the values in their order."""

    def __init__(self, name: str) -> None:
        self.name = name
        stem, _, kind = name.rpartition(".")
        template, at, self._instance = stem.partition("@")
        self._values: dict[tuple[str, str], list[str]] = defaultdict(list)
        for path in _files(template, f"{template}{at}.{kind}", kind):
            self._read(path)

    def _read(self, path: Path) -> None:
        section = ""
        for line in path.read_text().splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif line and line[0] not in "#;":
                key, _, value = line.partition("=")
                expanded = value.replace("%d", str(self.credentials))
                self._values[section, key].append(expanded.replace("%i", self._instance))

    def all(self, key: str, section: str = "Service") -> list[str]:
        """Every value, each split as a shell would."""
        return [word for value in self._values[section, key] for word in shlex.split(value)]

    def one(self, key: str, default: str = "") -> str:
        """The last value, as it stands."""
        return (self._values["Service", key] or [default])[-1]

    @property
    def credentials(self) -> Path:
        return CREDENTIALS / self.name

    @property
    def pid_file(self) -> Path:
        return STATE / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        return LOGS / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """The main process, while it runs."""
        pid = int(self.pid_file.read_text()) if self.pid_file.exists() else 0
        return pid if pid and _runs(pid) else None


def _files(template: str, file: str, kind: str) -> Iterator[Path]:
    yield next(folder / file for folder in (OWN, PACKAGED) if (folder / file).exists())
    # `a-b-c.service` also has the drop-ins of `a-b-.service.d` and `a-.service.d`.
    words = template.split("-")
    prefixes = ["-".join(words[:count]) + "-" for count in range(1, len(words))]
    for folder in (*(f"{prefix}.{kind}.d" for prefix in prefixes), f"{file}.d"):
        yield from sorted((OWN / folder).glob("*.conf"))


def _runs(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(") ")[2][0] != "Z"


def services(name: str) -> list[Unit]:
    """The service, or what a target wants."""
    unit = Unit(name)
    if not name.endswith(".target"):
        return [unit]
    return [Unit(wanted) for wanted in unit.all("Wants", "Unit")]


def start(unit: Unit) -> None:
    """Return when it has started as its type says; a second start of what runs does nothing."""
    if unit.pid:
        return
    kind = unit.one("Type", "simple")
    address = STATE / f"{unit.name}.notify"
    with unit.log.open("ab") as output, _listening(address, kind) as listener:
        process = subprocess.Popen(
            _command(unit),
            env=_environment(unit, address if kind == "notify" else None),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        unit.pid_file.write_text(str(process.pid))
        if kind in ("oneshot", "forking"):
            if process.wait(timeout=START_SECONDS):
                raise Failed(f"{unit.name} ended with {process.returncode}: {_end_of(unit.log)}")
        elif kind == "notify":
            _await_ready(listener, process, unit)


def _listening(address: Path, kind: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if kind == "notify":
        address.unlink(missing_ok=True)
        listener.bind(str(address))
        address.chmod(0o777)
        listener.settimeout(0.2)
    return listener


def _await_ready(listener: socket.socket, process: "subprocess.Popen[bytes]", unit: Unit) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if listener.recv(100) == b"READY=1":
                return
        except TimeoutError:
            continue
    raise Failed(f"{unit.name} did not say that it is ready: {_end_of(unit.log)}")


def _command(unit: Unit) -> list[str]:
    command = shlex.split(unit.one("ExecStart"))
    user, group = unit.one("User"), unit.one("Group")
    if unit.one("NoNewPrivileges") == "yes":
        account = [f"--reuid={user}", f"--regid={group}", "--init-groups"]
        command = ["setpriv", *account, "--no-new-privs", "--bounding-set=-all", *command]
    if unit.one("ProtectSystem") == "strict":
        command = ["unshare", "--mount", "sh", "-c", SANDBOX, "sandbox", *command]
    folder, mask = unit.one("WorkingDirectory", "/"), unit.one("UMask", "0022")
    return ["sh", "-c", f'umask {mask}; cd "{folder}"; exec "$@"', "service", *command]


def _environment(unit: Unit, address: Path | None) -> dict[str, str]:
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    environment |= dict(pair.split("=", 1) for pair in unit.all("Environment"))
    for name in unit.all("EnvironmentFile"):
        path = Path(name.removeprefix("-"))
        if path.exists() or not name.startswith("-"):
            lines = path.read_text().splitlines()
            pairs = (line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
            environment |= {key: shlex.split(value)[0] for key, value in pairs}
    writable = (place.removeprefix("-") for place in unit.all("ReadWritePaths"))
    environment["WRITABLE"] = " ".join(place for place in writable if Path(place).exists())
    _give_credentials(unit)
    environment["CREDENTIALS_DIRECTORY"] = str(unit.credentials)
    return environment | ({"NOTIFY_SOCKET": str(address)} if address else {})


def _give_credentials(unit: Unit) -> None:
    """Copies that only the service's account can read."""
    for credential in unit.all("LoadCredential"):
        name, _, source = credential.partition(":")
        unit.credentials.mkdir(mode=0o755, parents=True, exist_ok=True)
        copy = unit.credentials / name
        subprocess.run(
            ["install", "-m", "400", "-o", unit.one("User"), source, str(copy)], check=True
        )


def stop(unit: Unit) -> None:
    """End it as its manager would: politely, then not."""
    pid = unit.pid
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _runs(pid):
        if time.monotonic() > deadline:
            os.killpg(pid, signal.SIGKILL)
        time.sleep(0.05)


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]


def main(verb: str, *arguments: str) -> int:
    """Do what is asked; 0 when it is done."""
    for folder in (STATE, LOGS, CREDENTIALS):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    units = [unit for name in arguments if name[0] != "-" for unit in services(name)]
    if verb == "daemon-reload":
        files = [str(path) for path in OWN.glob("strongroom*.*") if path.is_file()]
        return subprocess.run(["systemd-analyze", "verify", *files], check=False).returncode
    if verb == "enable":
        names = [name for name in arguments if name[0] != "-"]
        subprocess.run(["/usr/bin/systemctl", "--root=/", "enable", *names], check=True)
        verb = "start" if "--now" in arguments else ""
    if verb == "is-active":
        return 0 if all(unit.pid for unit in units) else 3
    if verb == "reload":
        return max(subprocess.call(shlex.split(unit.one("ExecReload"))) for unit in units)
    for unit in units:
        if verb in ("stop", "restart"):
            stop(unit)
        if verb in ("start", "restart"):
            start(unit)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except Failed as failed:
        sys.exit(str(failed))
