"""What is said of one setting: docs/settings.md has a line of each."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """How a value is read."""

    TEXT = "text"
    URL = "address"
    PATH = "absolute path"
    FLAG = "`true` or `false`"
    BYTES = "number of bytes"
    SECONDS = "number of seconds"
    COUNT = "number"
    LIST = "list, separated by spaces"
    JSON = "JSON object"


class User(StrEnum):
    """Which processes do something with it. All of them read and check all of it."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"
    BOTH = "web, worker"
    MIGRATIONS = "migrations"
    CHECKS = "`check --deploy`"
    TESTS = "tests"


REQUIRED: Final = "**required**"
NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable of the environment, without its prefix. `default` is as one would write it."""

    name: str
    kind: Kind
    user: User
    text: str
    example: str
    default: str = NONE

    @property
    def variable(self) -> str:
        """Its whole name."""
        return f"STRONGROOM_{self.name}"
