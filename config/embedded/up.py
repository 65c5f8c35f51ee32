"""`make up`: start an instance, say how to use it, keep it running until asked to stop."""

import json
import os
import secrets
import shlex
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from config.embedded.credentials import load_credentials, write_private
from config.embedded.environment import Instance, settings_of
from config.embedded.home import CannotStart, Home, locked, make_folders, open_home
from config.embedded.lineage import Lineage
from config.embedded.ports import choose_ports
from config.embedded.postgres import PostgresFailed
from config.embedded.programs import bootstrap, foundations, migrate, store
from config.embedded.supervisor import ProgramFailed, StopRequested, Supervisor

CHECKOUT: Final = Path(__file__).resolve().parents[2]
FIRST_PROJECT: Final = "local/files"  # as bootstrap_embedded makes it
ORPHAN_SECONDS: Final = 5
FOUNDATION_SECONDS: Final = 60
STORE_SECONDS: Final = 90


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. `report` is a file descriptor that gets a `Report` as JSON."""

    data: Path
    port: int | None = None
    report: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """An instance that is ready. The password is given on the first start only, and never kept."""

    pid: int
    data: str
    url: str
    issuer_url: str
    admin: str
    one_time_password: str | None = field(repr=False)
    project: str
    admin_token_file: str
    upload_token_file: str


def up(options: Options) -> int:
    """Run the instance in the foreground; the exit status for the shell."""
    os.umask(0o077)
    try:
        home = open_home(options.data)
        with locked(home) as lock:
            _run(home, lock, options)
    except (CannotStart, ProgramFailed, PostgresFailed) as error:
        say(f"{error}")
        return 1
    return 0


def say(line: str) -> None:
    """Tell the person at the terminal; one who has gone away must not stop the stopping."""
    with suppress(OSError):
        os.write(1, f"{line}\n".encode())


def _run(home: Home, lock: Path, options: Options) -> None:
    _end_what_was_left(home)
    ports = choose_ports(home.ports, wanted=options.port)
    lock.write_text(json.dumps({"pid": os.getpid(), "url": ports.url}))
    make_folders(home)
    instance = Instance(
        home=home,
        ports=ports,
        credentials=load_credentials(home.secrets),
        marker=f"{home.identity}:{secrets.token_hex(4)}",
        more=options.settings,
    )
    lines = (f"{name}={value}\n" for name, value in settings_of(instance).items())
    write_private(home.environment, "".join(lines))
    lineage = Lineage(instance.marker, home.cluster)
    try:
        with Supervisor(folder=CHECKOUT, logs=home.logs, lineage=lineage, say=say) as supervisor:
            _start_and_watch(instance, supervisor, options)
    finally:
        shutil.rmtree(home.run)
    say(f"stopped; everything is kept in {home.data}")


def _start_and_watch(instance: Instance, supervisor: Supervisor, options: Options) -> None:
    """Return when someone asks to stop, whether it was ready or not."""
    with suppress(StopRequested):
        report = _start(instance, supervisor)
        write_private(instance.home.shell, for_shells(report))
        _tell(report, options)
        supervisor.watch()
    say("stopping …")


def _end_what_was_left(home: Home) -> None:
    """A killed supervisor's guard may still be at work, or may have been killed with it."""
    left = Lineage(f"{home.identity}:", home.cluster).end(grace_seconds=ORPHAN_SECONDS)
    if left:
        say(f"ended {left} processes that a killed start had left behind")


def _start(instance: Instance, supervisor: Supervisor) -> Report:
    """Start everything, in the order of need."""
    say("starting database, broker and development issuer …")
    instance.cluster.initialise()
    base = foundations(instance)
    supervisor.start(base)
    supervisor.wait_until_up(base, seconds=FOUNDATION_SECONDS)
    instance.cluster.provision()
    say("bringing the schema up to date …")
    supervisor.run(migrate(instance))
    say("starting relay, worker, beat and web server …")
    rest = store(instance)
    supervisor.start(rest)
    first = json.loads(supervisor.run(bootstrap(instance)))
    supervisor.wait_until_up(rest, seconds=STORE_SECONDS)
    return Report(
        pid=os.getpid(),
        data=str(instance.home.data),
        url=instance.ports.url,
        issuer_url=instance.ports.issuer_url,
        upload_token_file=str(instance.home.upload_token),
        admin=first["admin"],
        one_time_password=first["admin_password"],
        project=FIRST_PROJECT,
        admin_token_file=str(instance.home.admin_token),
    )


def _tell(report: Report, options: Options) -> None:
    say(welcome(report))
    if options.report is not None:
        with os.fdopen(options.report, "w") as pipe:
            json.dump(asdict(report), pipe)


def for_shells(report: Report) -> str:
    """What the quick starts need, as a shell reads it. Tokens are read when the file is."""
    variables = {
        "STORE": shlex.quote(report.url),
        "ISSUER": shlex.quote(report.issuer_url),
        "TOKEN": f"$(cat {shlex.quote(report.upload_token_file)})",
        "ADMIN_TOKEN": f"$(cat {shlex.quote(report.admin_token_file)})",
        "PATH": f"{shlex.quote(str(CHECKOUT / '.venv' / 'bin'))}:$PATH",
    }
    # What somebody pins of this instance ends with it: the next one has the same address.
    kept = f"export STRONGROOM_CONFIG_HOME={shlex.quote(f'{report.data}/client')}\n"
    return "".join(f"{name}={value}\n" for name, value in variables.items()) + kept


def welcome(report: Report) -> str:
    """What a person needs to know, once everything is ready."""
    another = f"make manage ARGS='changepassword {report.admin}'"
    if report.one_time_password is None:
        password = f"password as you chose it; another one: {another}"
    else:
        password = f"one-time password {report.one_time_password} (shown only this once)"
    token = shlex.quote(report.upload_token_file)
    target = f"{report.url}/api/v1/projects/{report.project}/artifacts/"
    shell = shlex.quote(f"{report.data}/shell")
    return "\n".join(
        (
            "",
            f"Strongroom is running: {report.url}",
            "",
            f"  administer  {report.url}/admin/ as {report.admin}, {password}",
            "  upload      from another terminal, with any FILE:",
            f'              curl -T FILE -H "Authorization: Bearer $(cat {token})" {target}',
            f"  try it      docs/quickstart-ci.md, in another terminal, after: . {shell}",
            f"  CI tokens   from the development issuer {report.issuer_url}/ (never in production)",
            f"  data        {report.data} (logs are in its folder logs)",
            "  stop        Ctrl-C",
            "",
        )
    )
