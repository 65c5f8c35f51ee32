"""The client is installed without the server: what it imports, in a fresh interpreter."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
MODULES: Final = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "client").rglob("*.py")
    if path.name != "__init__.py"
)
OURS: Final = ("access", "artifacts", "client", "config", "kernel", "provenance", "tests")
# Besides itself, and besides the packages that hold them: all of it without Django.
SHARED: Final = re.compile(
    r"kernel\.(digest|errors|problems)"
    r"|artifacts\.domain\.(names|parts|ranges)"
    r"|provenance\.(domain\.\w+|errors|ports)"
    r"|provenance\.adapters\.(fulcio_certificate|key_log_entries|keyed_bundle|sigstore_failures"
    r"|sigstore_verifier|signing_algorithms|trust_windows|trusted_keys|unverified_bundle)"
)
PACKAGES: Final = {"kernel", "artifacts", "artifacts.domain", "provenance", "provenance.domain"} | {
    "provenance.adapters"
}
SERVER: Final = {
    "celery",
    "django",
    "granian",
    "kombu",
    "prometheus_client",
    "psycopg",
    "redis",
    "rest_framework",
    "structlog",
    "whitenoise",
}
REPORT: Final = "import sys; print('\\n'.join(sorted(sys.modules)))"


# Takes the locked distributions, `--`, and the modules to import; tells what it kept away.
ONLY_LOCKED: Final = """
import importlib, sys
from importlib.metadata import packages_distributions

cut = sys.argv.index("--")
locked = {name.lower().replace("-", "_") for name in sys.argv[1:cut]}
known = packages_distributions()

class OnlyLocked:
    def find_spec(self, name, path=None, target=None):
        owners = {one.lower().replace("-", "_") for one in known.get(name.partition(".")[0], [])}
        if owners and not owners & locked:
            print(name)
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, OnlyLocked())
for module in sys.argv[cut + 1:]:
    importlib.import_module(module)
try:
    import django
except ModuleNotFoundError:
    pass
"""


def imported_by(*modules: str) -> set[str]:
    """The modules that a fresh interpreter has after importing these."""
    lines = [*(f"import {module}" for module in modules), REPORT]
    finished = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(finished.stdout.split())


@pytest.fixture(scope="module")
def imported() -> set[str]:
    return imported_by(*MODULES)


def test_imports_nothing_of_the_server(imported: set[str]) -> None:
    assert "client.commands.push" in imported
    assert not {name.partition(".")[0] for name in imported} & SERVER


def test_shares_only_the_pure_core_and_the_verifier(imported: set[str]) -> None:
    ours = {name for name in imported if name.partition(".")[0] in OURS}

    foreign = {name for name in ours if name.partition(".")[0] != "client"} - PACKAGES
    assert {name for name in foreign if not SHARED.fullmatch(name)} == set()


def test_runs_on_what_its_lock_installs() -> None:
    """Whatever else is installed here cannot be imported: some of it would be, if it is there."""
    lock = (ROOT / "requirements" / "client.txt").read_text()
    locked = [match[1] for match in re.finditer(r"^([\w.-]+)==", lock, re.MULTILINE)]
    finished = subprocess.run(
        [sys.executable, "-c", ONLY_LOCKED, *locked, "--", *MODULES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (finished.returncode, finished.stderr) == (0, "")
    assert "django" in finished.stdout.split(), "nothing was kept away, so nothing was tried"


@pytest.mark.parametrize(
    ("file", "table"),
    [("client.in", ["dependencies"]), ("server.in", ["optional-dependencies", "server"])],
)
def test_installs_what_the_requirements_say(file: str, table: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project[table[0]] if len(table) == 1 else project[table[0]][table[1]]
    lines = (ROOT / "requirements" / file).read_text().splitlines()
    wanted = {line.partition("#")[0].strip() for line in lines if not line.startswith(("#", "-r"))}

    assert set(declared) == wanted - {""}
