"""Which store, project and token are meant: flags, then the environment, then what `login` kept.

A token is never a flag: command lines are seen by everybody on the machine and kept in histories.
"""

import json
import stat
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from client.console import Console
from client.credentials import Anonymous, ApiToken, Credentials
from client.errors import SettingsMissing, WrongUsage
from client.http import Store
from client.origin import Origin
from client.persistence import Persistence
from client.places import config_folder, store_folder
from client.schedule import Patience

TOKEN_FILE: Final = "token"  # noqa: S105 - a file's name
CHOSEN_FILE: Final = "config.json"
STDIN: Final = "-"
DEFAULT_RETRY_SECONDS: Final = 300
_LONGEST_TOKEN: Final = 1000
_FOR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Settings:
    """What flags, environment and config file say together; `token` is the store's own kind."""

    origin: Origin | None
    project: str | None
    token: str | None = field(repr=False)
    is_kept: bool = False  # by an earlier `login`, and not given for this command
    retry_seconds: float = DEFAULT_RETRY_SECONDS
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def required_origin(self) -> Origin:
        """The store's address.

        Raises:
            SettingsMissing: nothing names it.
        """
        if self.origin is None:
            raise SettingsMissing(
                missing="the store", give="--store URL, STRONGROOM_URL, or: strongroom login URL"
            )
        return self.origin

    def required_project(self) -> tuple[str, str]:
        """Organization and project.

        Raises:
            SettingsMissing: nothing names them.
        """
        if self.project is None:
            raise SettingsMissing(
                missing="the project", give="--project ORGANIZATION/PROJECT or STRONGROOM_PROJECT"
            )
        organization, _, project = self.project.partition("/")
        return organization, project

    def store(self, console: Console, credentials: Credentials | None = None) -> Store:
        """The store as these credentials see it: by default those of the token, or nobody's.

        Raises:
            SettingsMissing: nothing names it.
        """
        origin = self.required_origin()
        if credentials is None:
            credentials = ApiToken(self.token) if self.token else Anonymous()
        if origin.is_in_the_clear and not isinstance(credentials, Anonymous):
            console.warn(f"{origin.url} is not https: the token can be read on its way")
        patience = Patience(total=self.retry_seconds)
        return Store(origin, credentials, Persistence(patience, on_retry=_telling(console)))

    def nobody(self, console: Console) -> Store:
        """The store as a stranger sees it: for exchanges, whose bodies are the credentials.

        Raises:
            SettingsMissing: nothing names it.
        """
        return self.store(console, Anonymous())


def add_options(parser: ArgumentParser) -> None:
    """The options of every command that talks to a store."""
    group = parser.add_argument_group("which store")
    group.add_argument("--store", metavar="URL", help="its address (STRONGROOM_URL)")
    group.add_argument("--project", metavar="ORG/PROJECT", help="the project (STRONGROOM_PROJECT)")
    group.add_argument(
        "--token-file",
        metavar="FILE",
        help="read the token from this file, or from stdin with - (STRONGROOM_TOKEN holds one)",
    )
    group.add_argument(
        "--retry-for",
        metavar="SECONDS",
        type=float,
        default=float(DEFAULT_RETRY_SECONDS),
        help="how long a store that does not answer is tried again (%(default)g)",
    )


def settings_of(args: Namespace, environ: Mapping[str, str]) -> Settings:
    """What is meant.

    Raises:
        WrongUsage: something that was given cannot be meant.
        SettingsMissing: a named file is not there.
    """
    chosen = _chosen(environ)
    named = args.store or environ.get("STRONGROOM_URL") or chosen.get("store")
    project = args.project or environ.get("STRONGROOM_PROJECT") or None
    if project is not None and (project.count("/") != 1 or not all(project.split("/"))):
        raise WrongUsage(option="--project", found=project, expected="ORGANIZATION/PROJECT")
    origin = Origin.parse(named) if named else None
    given = _given_token(args, environ)
    return Settings(
        origin=origin,
        project=project,
        token=given or _kept_token(environ, origin),
        is_kept=given is None,
        retry_seconds=max(0.0, args.retry_for),
        environ=environ,
    )


def read_token(text: str, *, source: str) -> str:
    """The token in what was typed or read.

    Raises:
        WrongUsage: that is no single word; it is not repeated.
    """
    token = text.strip()
    if not token or len(token) > _LONGEST_TOKEN or not token.isascii() or not token.isprintable():
        raise WrongUsage(source=source, expected="one token, and nothing else")
    if " " in token:
        raise WrongUsage(source=source, expected="one token, and nothing else")
    return token


def token_from_file(name: str) -> str:
    """The token in a file, or on stdin.

    Raises:
        SettingsMissing: the file cannot be read.
        WrongUsage: it holds something else.
    """
    if name == STDIN:
        return read_token(sys.stdin.read(_LONGEST_TOKEN + 2), source="stdin")
    try:
        with Path(name).open(encoding="utf-8") as opened:
            return read_token(opened.read(_LONGEST_TOKEN + 2), source=name)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsMissing(missing="the token file", file=name, reason=str(error)) from error


def _given_token(args: Namespace, environ: Mapping[str, str]) -> str | None:
    if args.token_file:
        return token_from_file(args.token_file)
    if environ.get("STRONGROOM_TOKEN"):
        return read_token(environ["STRONGROOM_TOKEN"], source="STRONGROOM_TOKEN")
    return None


def _kept_token(environ: Mapping[str, str], origin: Origin | None) -> str | None:
    if origin is None:
        return None
    try:
        kept = store_folder(environ, origin) / TOKEN_FILE
    except SettingsMissing:
        return None
    if not kept.exists():
        return None
    if kept.stat().st_mode & _FOR_OTHERS:
        raise WrongUsage(file=str(kept), reason="others can read this token: chmod 600, or log in")
    return token_from_file(str(kept))


def _chosen(environ: Mapping[str, str]) -> dict[str, Any]:
    """What `login` wrote: the store that is meant when none is named."""
    try:
        file = config_folder(environ) / CHOSEN_FILE
    except SettingsMissing:
        return {}
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise WrongUsage(file=str(file), reason=str(error)) from error
    if not isinstance(document, dict) or not isinstance(document.get("store"), str):
        raise WrongUsage(file=str(file), expected='{"store": "https://…"}')
    return document


def _telling(console: Console) -> Callable[[str, float], None]:
    return lambda why, wait: console.note(f"{why}: trying again in {wait:.1f} s")
