"""How the command ends: the exit codes, and which refusal ends with which (docs/client.md)."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from kernel.errors import Kind
from kernel.problems import STATUS


class ExitCode(IntEnum):
    """What a script can tell apart. The numbers never change their meaning."""

    DONE = 0
    REFUSED = 1  # the verification, the policy or the store says no
    USAGE = 2  # the command line, the settings or the workflow lack something
    NOT_FOUND = 3  # there is no such thing, or none that this token may see
    UNREACHABLE = 4  # the store could not be reached in time; the same again may work
    UNSUPPORTED = 5  # this version of the client cannot do it with this store or this document
    DEFECT = 70  # a mistake in the client itself (sysexits.h: EX_SOFTWARE)
    INTERRUPTED = 130  # Ctrl-C, or SIGINT
    TERMINATED = 143  # SIGTERM


# What a kind alone would get wrong: here it is the person or the workflow that has to act.
BY_CODE: Final[Mapping[str, ExitCode]] = {
    "wrong-usage": ExitCode.USAGE,
    "settings-missing": ExitCode.USAGE,
    "job-token-missing": ExitCode.USAGE,
    "trust-root-not-pinned": ExitCode.USAGE,
    "expectation-missing": ExitCode.USAGE,
}

BY_KIND: Final[Mapping[Kind, ExitCode]] = {
    Kind.MALFORMED: ExitCode.REFUSED,
    Kind.UNAUTHENTICATED: ExitCode.REFUSED,
    Kind.FORBIDDEN: ExitCode.REFUSED,
    Kind.NOT_FOUND: ExitCode.NOT_FOUND,
    Kind.METHOD: ExitCode.UNSUPPORTED,
    Kind.CONFLICT: ExitCode.REFUSED,
    Kind.GONE: ExitCode.NOT_FOUND,
    Kind.LENGTH_REQUIRED: ExitCode.REFUSED,
    Kind.PRECONDITION: ExitCode.REFUSED,
    Kind.TOO_LARGE: ExitCode.REFUSED,
    Kind.UNSUPPORTED: ExitCode.UNSUPPORTED,
    Kind.RANGE: ExitCode.REFUSED,
    Kind.INVALID: ExitCode.REFUSED,
    Kind.UNEXPECTED: ExitCode.UNREACHABLE,
    Kind.TOO_MANY: ExitCode.UNREACHABLE,
    Kind.UNAVAILABLE: ExitCode.UNREACHABLE,
    Kind.NO_SPACE: ExitCode.UNREACHABLE,
}

_KIND_OF_STATUS: Final = {status: kind for kind, status in STATUS.items()}
_PASSING: Final = frozenset({408, 425, 429})
_REDIRECTS: Final = range(300, 400)
_SERVER_ERRORS: Final = range(500, 600)


def exit_code_of(code: str, kind: Kind) -> ExitCode:
    """How the command ends that met this refusal."""
    return BY_CODE.get(code, BY_KIND[kind])


def kind_of_status(status: int) -> Kind:
    """What an HTTP status means, also one that the store itself never gives (a proxy's)."""
    if status in _KIND_OF_STATUS:
        return _KIND_OF_STATUS[status]
    if status in _PASSING or status in _SERVER_ERRORS:
        return Kind.UNAVAILABLE
    return Kind.UNSUPPORTED if status in _REDIRECTS else Kind.INVALID
