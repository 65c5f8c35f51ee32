"""The environment of the tests: complete from the start; fixtures start the servers it names.

TEST_SCRATCH may name a short folder to keep; else one is made and removed.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def _scratch() -> Path:
    given = os.environ.get("TEST_SCRATCH")
    if given:
        return Path(given)
    made = Path(tempfile.mkdtemp(prefix="strongroom-"))
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(made, ignore_errors=True))
    return made


SCRATCH = _scratch()
POSTGRES_SOCKETS = SCRATCH / "pg-run"
BROKER_SOCKET = SCRATCH / "broker" / "valkey.sock"
PASSWORD = "only-for-tests"

DEFAULTS = {
    "STRONGROOM_PROFILE": "test",
    "STRONGROOM_PUBLIC_URL": "http://store.test",
    "STRONGROOM_SECRET_KEY": "only-for-tests-" + "x" * 50,
    "STRONGROOM_DATABASE_URL": (
        f"postgresql://strongroom_runtime:{PASSWORD}@/strongroom?host={POSTGRES_SOCKETS}"
    ),
    "STRONGROOM_MIGRATOR_DATABASE_URL": (
        f"postgresql://strongroom_migrator:{PASSWORD}@/strongroom?host={POSTGRES_SOCKETS}"
    ),
    "STRONGROOM_BROKER_URL": f"redis+socket://{BROKER_SOCKET}",
    "STRONGROOM_BLOB_DIRECTORY": str(SCRATCH / "blobs"),
    "STRONGROOM_ALLOWED_HOSTS": "testserver 127.0.0.1 localhost",
    "STRONGROOM_LOG_LEVEL": "WARNING",
}
for name, value in DEFAULTS.items():
    os.environ.setdefault(name, value)
os.environ["TEST_SCRATCH"] = str(SCRATCH)  # child processes share it
