"""The environment of the tests: complete from the start; fixtures start the servers it names.

TEST_SCRATCH may name the folder for servers and files; the tests' child processes share it.
"""

import os
import tempfile
from pathlib import Path
from typing import Final

# Only named here; tests/conftest.py makes it and removes it. Other programs import this too.
SCRATCH = Path(
    os.environ.get("TEST_SCRATCH") or f"{tempfile.gettempdir()}/strongroom-tests-{os.getpid()}"
)
_SOCKETS: Final = "pg-run"
POSTGRES_SOCKETS = SCRATCH / _SOCKETS
# What servers under test answered and the API reference does not have.
UNDOCUMENTED = SCRATCH / "undocumented.txt"
PASSWORD = "only-for-tests"


def settings_in(scratch: Path) -> dict[str, str]:
    """The settings of a store whose servers and files are in this folder."""
    database = f"{PASSWORD}@/strongroom?host={scratch / _SOCKETS}"
    return {
        "STRONGROOM_PROFILE": "test",
        "STRONGROOM_PUBLIC_URL": "http://store.test",
        "STRONGROOM_SECRET_KEY": "only-for-tests-" + "x" * 50,
        "STRONGROOM_DATABASE_URL": f"postgresql://strongroom_runtime:{database}",
        "STRONGROOM_MIGRATOR_DATABASE_URL": f"postgresql://strongroom_migrator:{database}",
        "STRONGROOM_BROKER_URL": f"redis+socket://{scratch / 'broker' / 'valkey.sock'}",
        "STRONGROOM_BLOB_DIRECTORY": str(scratch / "blobs"),
        "STRONGROOM_ALLOWED_HOSTS": "testserver 127.0.0.1 localhost",
        "STRONGROOM_LOG_LEVEL": "WARNING",
    }


DEFAULTS = settings_in(SCRATCH)
# A production web server; the embedded signer is wanted here, so its warning is silenced.
PRODUCTION = {
    **DEFAULTS,
    "STRONGROOM_PROFILE": "production",
    "STRONGROOM_PUBLIC_URL": "https://store.example.com",
    "STRONGROOM_SECRET_KEY": "".join(chr(33 + i % 90) for i in range(80)),
    "STRONGROOM_METRICS_TOKEN": "t" * 40,
    "STRONGROOM_ATTESTOR_IS_ISOLATED": "true",
    "STRONGROOM_SILENCED_CHECKS": "strongroom.W002",
}
for name, value in DEFAULTS.items():
    os.environ.setdefault(name, value)
os.environ["TEST_SCRATCH"] = str(SCRATCH)  # child processes share it


def environment_beside(number: int) -> dict[str, str]:
    """What is different for a test process that runs beside this one: its servers and files."""
    beside = SCRATCH.with_name(f"{SCRATCH.name}-{number}")
    changed = {
        name: value
        for name, value in settings_in(beside).items()
        if os.environ[name] == DEFAULTS[name]
    }
    return {**changed, "TEST_SCRATCH": str(beside)}
