"""The data folder of an instance: what lies where, who may use it, and that one at a time does."""

import fcntl
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOCK_NAME: Final = "strongroom.lock"

# A unix socket's path has at most 107 bytes; PostgreSQL's own part of it is the longest.
_LONGEST_RUN_FOLDER: Final = 107 - len("/postgres/.s.PGSQL.5432.lock")


class CannotStart(Exception):
    """The instance cannot start; the text says why, and who can change what."""


class AlreadyRunning(CannotStart):
    """Another supervisor runs this instance."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where everything of one instance lies. `run` holds only sockets and is made anew."""

    data: Path
    run: Path

    @property
    def identity(self) -> str:
        """Names the instance in the environment of everything that it starts."""
        return _short_hash(self.data)

    @property
    def secrets(self) -> Path:
        return self.data / "secrets"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def cluster(self) -> Path:
        return self.data / "postgres"

    @property
    def blobs(self) -> Path:
        return self.data / "blobs"

    @property
    def metrics(self) -> Path:
        return self.data / "metrics"

    @property
    def issuer_keys(self) -> Path:
        return self.data / "issuer"

    @property
    def ports(self) -> Path:
        return self.data / "ports.json"

    @property
    def environment(self) -> Path:
        """KEY=VALUE lines for `make manage`."""
        return self.data / "env"

    @property
    def shell(self) -> Path:
        """What a shell reads to use the instance, as the quick starts say."""
        return self.data / "shell"

    @property
    def admin_token(self) -> Path:
        return self.data / "admin-token"

    @property
    def upload_token(self) -> Path:
        return self.data / "upload-token"

    @property
    def database_sockets(self) -> Path:
        return self.run / "postgres"

    @property
    def broker_socket(self) -> Path:
        return self.run / "valkey.sock"


def open_home(data: Path) -> Home:
    """The instance's folders, made when they are not there.

    Raises:
        CannotStart: the folder is somebody else's, or something else's.
    """
    data = data.resolve()
    if not str(data).isprintable():
        raise CannotStart(f"the data folder's path {str(data)!r} has characters no file may name")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = data.stat()
    if status.st_uid != os.geteuid():
        raise CannotStart(
            f"{data} belongs to user {status.st_uid} and this is user {os.geteuid()}: "
            "start as that user, or name another folder with --data"
        )
    if any(data.iterdir()) and not (data / LOCK_NAME).exists():
        raise CannotStart(
            f"{data} has files in it and none of them is an instance's: name another folder "
            "with --data"
        )
    return Home(data=data, run=_run_folder(data))


def make_folders(home: Home) -> None:
    """Make the private folders, and empty what is only for one start.

    Raises:
        CannotStart: another user has taken the name of the folder for the sockets.
    """
    home.data.chmod(0o700)
    with suppress(FileExistsError):
        home.run.mkdir(mode=0o700)
    status = home.run.lstat()
    # The folder for temporary files is open to everyone, so its name may have been taken.
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise CannotStart(f"{home.run} is not this user's own folder: remove it or set TMPDIR")
    home.run.chmod(0o700)
    for folder in (home.secrets, home.logs, home.blobs, home.metrics, home.issuer_keys):
        folder.mkdir(mode=0o700, exist_ok=True)
    for old in home.metrics.iterdir():
        old.unlink()


@contextmanager
def locked(home: Home) -> Iterator[Path]:
    """Hold the instance; ends with the process, however it ends. Yields the lock's file.

    Raises:
        AlreadyRunning: another supervisor holds it; nothing has been touched.
    """
    path = home.data / LOCK_NAME
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(_who_runs(home.data, path.read_text())) from None
        os.ftruncate(descriptor, 0)
        yield path
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _who_runs(data: Path, note: str) -> str:
    try:
        holder = json.loads(note)
    except ValueError:
        return f"the instance in {data} is being started or stopped by another process"
    return (
        f"the instance in {data} is running already: process {holder['pid']}, {holder['url']}\n"
        f"Use it there, or stop it with Ctrl-C in its terminal or with: kill {holder['pid']}"
    )


def _run_folder(data: Path) -> Path:
    name = f"strongroom-{os.geteuid()}-{_short_hash(data)}"
    folder = Path(tempfile.gettempdir()).resolve() / name
    if len(os.fsencode(folder)) > _LONGEST_RUN_FOLDER:
        folder = Path("/tmp") / name  # noqa: S108 - make_folders makes it private
    return folder


def _short_hash(data: Path) -> str:
    return hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
