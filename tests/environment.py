"""The environment of the tests: complete, and pointing nowhere until the fixtures start servers."""

import os
import tempfile
from pathlib import Path

SCRATCH = Path(os.environ.get("STRONGROOM_TEST_SCRATCH") or tempfile.mkdtemp(prefix="strongroom-"))

DEFAULTS = {
    "STRONGROOM_PROFILE": "test",
    "STRONGROOM_PUBLIC_URL": "http://store.test",
    "STRONGROOM_SECRET_KEY": "only-for-tests-" + "x" * 50,
    "STRONGROOM_DATABASE_URL": "postgresql://strongroom_runtime:runtime@127.0.0.1:1/strongroom",
    "STRONGROOM_MIGRATOR_DATABASE_URL": (
        "postgresql://strongroom_migrator:migrator@127.0.0.1:1/strongroom"
    ),
    "STRONGROOM_BROKER_URL": "redis://127.0.0.1:1/0",
    "STRONGROOM_BLOB_DIRECTORY": str(SCRATCH / "blobs"),
    "STRONGROOM_ALLOWED_HOSTS": "testserver 127.0.0.1",
}
for name, value in DEFAULTS.items():
    os.environ.setdefault(name, value)
