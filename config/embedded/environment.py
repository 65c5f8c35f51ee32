"""What each child process may know: every environment is built here, from nothing.

Nothing is inherited but where programs, temporary files and the home folder are, so that an
instance does not depend on the terminal it was started in.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final
from urllib.parse import quote

from config.embedded.credentials import Credentials
from config.embedded.home import Home
from config.embedded.lineage import MARKER
from config.embedded.ports import Ports
from config.embedded.postgres import MIGRATOR, RUNTIME, Cluster

_INHERITED: Final = ("HOME", "PATH", "TMPDIR")


class Role(Enum):
    """What a child process is for, and so which secrets it gets."""

    TOOL = auto()  # no part of the store: PostgreSQL, the broker, the issuer, the guard
    STORE = auto()  # web, relay, beat
    ATTESTOR = auto()  # the worker: alone of what keeps running it has the attestor's key
    SETUP = auto()  # makes that key's keys at the first start, then ends
    MIGRATOR = auto()  # alone may change the schema, then ends


@dataclass(frozen=True, slots=True)
class Instance:
    """One start of one instance: all that its parts have in common.

    `more` reaches only what keeps running: tests arm fault points with it.
    """

    home: Home
    ports: Ports
    credentials: Credentials
    marker: str
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def cluster(self) -> Cluster:
        """Its database server."""
        return Cluster(
            self.home.cluster,
            self.home.database_sockets,
            self.credentials.database,
            environment_of(self, Role.TOOL),
        )

    @property
    def broker_url(self) -> str:
        """The broker's address, as Celery reads it."""
        return f"redis+socket://:{self.credentials.broker}@{quote(str(self.home.broker_socket))}"


def environment_of(instance: Instance, role: Role) -> dict[str, str]:
    """The whole environment of a child with this role."""
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    environment |= {
        MARKER: instance.marker,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
    }
    if role is Role.TOOL:
        return environment
    environment |= settings_of(instance)
    if role in (Role.ATTESTOR, Role.SETUP):
        key_file = str(instance.credentials.attestor_key_file)
        environment["STRONGROOM_ATTESTOR_KEY_FILE"] = key_file
    if role is Role.MIGRATOR:
        url = instance.cluster.url(MIGRATOR, instance.credentials.database.migrator)
        environment["STRONGROOM_MIGRATOR_DATABASE_URL"] = url
    if role in (Role.STORE, Role.ATTESTOR):
        environment |= instance.more
    return environment


def settings_of(instance: Instance) -> dict[str, str]:
    """The settings that every process of the store shares; also what `make manage` reads."""
    home, database = instance.home, instance.credentials.database
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STRONGROOM_PROFILE": "embedded",
        "STRONGROOM_PUBLIC_URL": instance.ports.url,
        "STRONGROOM_SECRET_KEY": instance.credentials.secret_key,
        "STRONGROOM_DATABASE_URL": instance.cluster.url(RUNTIME, database.runtime),
        "STRONGROOM_BROKER_URL": instance.broker_url,
        "STRONGROOM_BLOB_DIRECTORY": str(home.blobs),
        "STRONGROOM_METRICS_DIRECTORY": str(home.metrics),
    }
