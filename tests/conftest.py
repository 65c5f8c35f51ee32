"""Real parts for the tests: PostgreSQL as a child process, entered as the runtime role."""

import os
import shutil
import signal
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Final

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from config.embedded.postgres import RUNTIME, Cluster
from tests.environment import PASSWORD, SCRATCH, UNDOCUMENTED, environment_beside
from tests.factories.postgres import running_postgres
from tests.factories.private_sigstore.attestor import Sigstore, running_sigstore
from tests.factories.private_sigstore.instance import missing_programs
from tests.factories.rabbitmq import RabbitMq, running_rabbitmq
from tests.factories.rabbitmq import is_installed as is_rabbitmq_installed
from tests.factories.s3_server import S3Server, is_installed, running_minio, running_s3
from tests.factories.tables import show, written

MEASURED: Final = pytest.StashKey[list[tuple[str, list[str]]]]()


def pytest_configure() -> None:
    """A private folder for this run; a short path, because a unix socket has 107 bytes at most."""
    SCRATCH.mkdir(mode=0o700)
    # Who runs us in the background may have had it ignored, and the programs that are interrupted
    # here would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    """Leave nothing behind, also of those beside this one: they are killed if it takes long."""
    for folder in (SCRATCH, *SCRATCH.parent.glob(f"{SCRATCH.name}-*")):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def answers_as_written() -> Iterator[None]:
    """Fail the test during which an answer was given that the API reference does not have."""
    yield
    if UNDOCUMENTED.exists():
        told = UNDOCUMENTED.read_text()
        UNDOCUMENTED.unlink()
        pytest.fail(f"not in the API reference (the apps' api/reference):\n{told}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A missing real part is a skip on somebody's machine and a failure in CI."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"CI has every part and skips nothing: {report.longrepr}"
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: Sequence[Any]) -> None:
    """Give each test process that runs beside others servers and files of its own."""
    for number, spec in enumerate(specs):
        spec.env.update(environment_beside(number))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what was measured to the process that reports."""
    handed_over: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if handed_over is not None:
        handed_over["tables"] = written(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Keep what another process measured; it may have died before it could say."""
    handed_over = getattr(node, "workeroutput", {})
    node.config.stash.setdefault(MEASURED, []).extend(handed_over.get("tables", []))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show what was measured."""
    show(terminalreporter, [*written(config), *config.stash.get(MEASURED, [])])


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def django_db_setup(postgres: Cluster, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Migrate as the migrator; the tests themselves run with the runtime role's rights."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]  # pytest-django's own object
        call_command("migrate_schema", verbosity=0)
        database = postgres.url("postgres", PASSWORD)
        with psycopg.connect(database, autocommit=True) as connection:
            # Django empties tables between transactional tests by TRUNCATE, which the runtime
            # role does not have and does not get anywhere else.
            connection.execute(
                sql.SQL("GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {}").format(
                    sql.Identifier(RUNTIME)
                )
            )
        yield
        connections.close_all()
        connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if not is_installed():
        pytest.skip("versitygw is not on PATH: .ci/run installs it")
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMq]:
    """RabbitMQ, also over TLS, with a certificate that nobody else knows."""
    if not is_rabbitmq_installed():
        pytest.skip("RabbitMQ is not installed: .ci/run does that")
    with running_rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture(scope="session")
def minio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if not is_installed("minio"):
        pytest.skip("minio is not on PATH: .ci/second-opinion installs it")
    with running_minio(tmp_path_factory.mktemp("minio")) as server:
        yield server


@pytest.fixture(scope="session")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sigstore]:
    """A private Sigstore with real servers, and the issuer that it believes."""
    if missing := missing_programs():
        pytest.skip(f"Sigstore's programs are not on PATH: .ci/run installs {', '.join(missing)}")
    with running_sigstore(tmp_path_factory.mktemp("sigstore")) as running:
        yield running
