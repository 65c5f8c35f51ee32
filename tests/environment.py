"""The environment of the tests: complete from the start; fixtures start the servers it names.

TEST_SCRATCH may name the folder for servers and files; the tests' child processes share it.
"""

import os
import tempfile
from pathlib import Path

# Only named here; tests/conftest.py makes it and removes it. Other programs import this too.
SCRATCH = Path(
    os.environ.get("TEST_SCRATCH") or f"{tempfile.gettempdir()}/strongroom-tests-{os.getpid()}"
)
POSTGRES_SOCKETS = SCRATCH / "pg-run"
# What servers under test answered and the API reference does not have.
UNDOCUMENTED = SCRATCH / "undocumented.txt"
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
