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
    atexit.register(_remove, made, owner=os.getpid())
    return made


def _remove(folder: Path, *, owner: int) -> None:
    """Only the process that made it removes it, not the ones that it forked."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


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
