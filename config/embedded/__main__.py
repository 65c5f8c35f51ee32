"""The command line of the embedded instance: `python -m config.embedded up` and `demo`."""

import argparse
import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from config.embedded.home import CannotStart
from config.embedded.lineage import die_with_parent
from config.embedded.ports import DEFAULT_PORT
from config.embedded.running import running_briefly
from config.embedded.up import CHECKOUT, Options, say, up


def main(arguments: list[str]) -> int:
    """Run one command; the exit status for the shell."""
    options = _parser().parse_args(arguments)
    if options.stop_with_parent:
        die_with_parent(signal.SIGTERM)
    if options.command == "demo":
        return _demo(Path(options.file).resolve() if options.file else None)
    data = options.data or os.environ.get("STRONGROOM_HOME") or CHECKOUT / ".strongroom"
    settings = dict(setting.split("=", 1) for setting in options.setting)
    return up(Options(Path(data), options.port, options.report, settings))


def _demo(file: Path | None) -> int:
    """Start an instance of its own, tell the story on it, leave nothing behind."""
    # Imported here, because it brings sigstore, which `up` does not need.
    from config.embedded.demo import Stage, StepFailed, source_archive, tell  # noqa: PLC0415

    # So that `finally` runs when it is asked to stop.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    if file is not None and not file.is_file():
        say(f"{file} is not a file")
        return 1
    say("starting a store of its own for the demonstration …")
    try:
        with running_briefly() as instance, TemporaryDirectory() as folder:
            stage = Stage(
                url=instance.url,
                issuer_url=instance.report.issuer_url,
                admin_token=instance.admin_token,
                folder=Path(folder),
            )
            tell(stage, file or source_archive(CHECKOUT, Path(folder)))
    except (CannotStart, StepFailed) as error:
        say(f"{error}")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m config.embedded", description=__doc__)
    parser.add_argument(
        "--stop-with-parent", action="store_true", help="stop when the process that started it ends"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("up", help="run the whole store on this machine")
    run.add_argument("--data", help="folder of the instance (STRONGROOM_HOME, else .strongroom)")
    run.add_argument(
        "--port",
        type=int,
        help=f"port, chosen at the first start (else {DEFAULT_PORT}; 0 takes any)",
    )
    run.add_argument("--report", type=int, help="file descriptor that is told when it is ready")
    run.add_argument(
        "--setting",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one more variable for every process of the store",
    )
    story = commands.add_parser("demo", help="one upload becomes one verified download")
    story.add_argument("file", nargs="?", help="what to upload (else the project's own source)")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
