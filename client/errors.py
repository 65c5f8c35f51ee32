"""Every refusal of the client itself, and the one that stands for a refusal of the store's.

Facts are told to people and scripts: a secret is never one.
"""

from collections.abc import Mapping

from client.exits import ExitCode, exit_code_of, kind_of_status
from kernel.errors import Kind, Refusal


class WrongUsage(Refusal):
    """The command cannot be understood as it was given."""

    code = "wrong-usage"
    kind = Kind.MALFORMED


class SettingsMissing(Refusal):
    """The command does not know which store, project or token is meant."""

    code = "settings-missing"
    kind = Kind.MALFORMED


class JobTokenMissing(Refusal):
    """The CI job cannot prove who it is: its workflow lacks something."""

    code = "job-token-missing"
    kind = Kind.UNAUTHENTICATED


class StoreUnreachable(Refusal):
    """The store could not be reached in the time that was given."""

    code = "store-unreachable"
    kind = Kind.UNAVAILABLE


class StoreNotTrusted(Refusal):
    """The store's TLS certificate is not one that this machine trusts."""

    code = "store-not-trusted"
    kind = Kind.UNAVAILABLE


class AnswerNotUnderstood(Refusal):
    """The answer is none that this client understands."""

    code = "answer-not-understood"
    kind = Kind.UNSUPPORTED


class FileChanged(Refusal):
    """The file was changed while it was sent, so that what was hashed is not what was read."""

    code = "file-changed"
    kind = Kind.CONFLICT


class StoredOtherwise(Refusal):
    """The store confirms another digest than that of the file that was sent."""

    code = "stored-otherwise"
    kind = Kind.CONFLICT


class FileTooLarge(Refusal):
    """A file is larger than the store takes on any way that is open to it."""

    code = "file-too-large"
    kind = Kind.TOO_LARGE


class BucketUnreachable(Refusal):
    """The bucket that the store sends large files to could not be reached in the time given."""

    code = "bucket-unreachable"
    kind = Kind.UNAVAILABLE


class BucketRefused(Refusal):
    """The bucket did not take a part of a file, also at a fresh address."""

    code = "bucket-refused"
    kind = Kind.CONFLICT


class UploadNotStored(Refusal):
    """The store did not keep a file that was sent to its bucket."""

    code = "upload-not-stored"
    kind = Kind.CONFLICT


class NotMeasuredInTime(Refusal):
    """A file that was sent to the bucket is not measured yet; the store goes on with it."""

    code = "not-measured-in-time"
    kind = Kind.UNAVAILABLE


class BuildWasRefused(Refusal):
    """The build was refused by the store: its files will not be published."""

    code = "build-was-refused"
    kind = Kind.CONFLICT


class BuildAbsent(Refusal):
    """The run has no open build of this name: nothing was pushed to it, or it was collected."""

    code = "build-absent"
    kind = Kind.NOT_FOUND


class WrongCount(Refusal):
    """The build does not have as many files as it should; it stays open."""

    code = "wrong-count"
    kind = Kind.CONFLICT


class NotPublishedInTime(Refusal):
    """The build was not published in the time that was given; the store goes on with it."""

    code = "not-published-in-time"
    kind = Kind.UNAVAILABLE


class RunEndedEarly(Refusal):
    """A run ended before all of it was done: somebody cancelled it, or its plan is stale."""

    code = "run-ended-early"
    kind = Kind.CONFLICT


class RunNotEndedInTime(Refusal):
    """A run did not end in the time that was given; the store goes on with it."""

    code = "run-not-ended-in-time"
    kind = Kind.UNAVAILABLE


class StoreRefused(Exception):
    """A problem document of the store (RFC 9457), or an answer in its place."""

    def __init__(self, *, status: int, code: str, title: str, facts: Mapping[str, object]) -> None:
        super().__init__(code)
        self.status, self.code, self.title = status, code, title
        self.facts = dict(facts)
        self.retry_after: float | None = None  # the seconds that the store asks to wait

    @property
    def kind(self) -> Kind:
        """The kind of the refusal, by its status."""
        return kind_of_status(self.status)

    def __str__(self) -> str:
        return f"{self.code}: {self.title}"


Told = Refusal | StoreRefused


def code_and_title(refusal: Told) -> tuple[str, str]:
    """What a refusal is called, whoever gave it."""
    if isinstance(refusal, StoreRefused):
        return refusal.code, refusal.title
    return refusal.code, refusal.title()


def exit_code(refusal: Told) -> ExitCode:
    """How the command ends that met this refusal."""
    return exit_code_of(refusal.code, refusal.kind)
