"""What the store witnessed of a CI job. Only these facts may enter a provenance predicate.

Every value comes from an identity token that the issuer signed and we verified, or from our
own clock. What an uploader merely says has no field here.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Final, Self

from kernel.errors import Kind, Refusal


class Platform(StrEnum):
    """Which table of claims an issuer's tokens are read with."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GENERIC = "generic"


class Hosting(StrEnum):
    """Who runs the machine that the job ran on, as the platform says (`runner_environment`)."""

    HOSTED = "hosted"
    SELF_HOSTED = "self-hosted"
    UNKNOWN = "unknown"


class MalformedFacts(Refusal):
    """Stored build facts cannot be read."""

    code = "malformed-facts"
    kind = Kind.INVALID


# SLSA, "Distributing provenance": events whose `sha` is not the code that ran are never
# attested; they are refused at the exchange, and once more here (PRODUCT.md rule 5).
UNATTESTABLE_EVENTS: Final = frozenset({"pull_request_target", "workflow_run"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """The verified facts of one CI job. Optional ones are empty when the token has no claim.

    The words are GitHub's; on GitLab the repository is the project, the owner its namespace, the
    run the pipeline. A generic issuer proves a subject and nothing of repository, commit or job.

    `issuer` is the `iss` claim; `issuer_name` is the store's own short name of that issuer,
    part of the builder id; `subject` is the `sub` claim; `token_id_sha256` is the SHA-256 of the
    token's `jti` in hex. `confirmed` says that the platform's API was asked about this very job
    and agreed.
    """

    platform: Platform
    issuer: str
    issuer_name: str
    subject: str
    hosting: Hosting
    confirmed: bool
    server_url: str
    repository: str
    repository_id: str
    owner: str
    owner_id: str
    visibility: str
    ref: str
    ref_protected: str
    commit: str
    workflow_path: str
    workflow_ref: str
    workflow_commit: str
    job_workflow_ref: str
    job_workflow_commit: str
    event: str
    run_id: str
    run_attempt: str
    job_id: str
    environment: str
    token_id_sha256: str

    @property
    def repository_url(self) -> str:
        """The repository's web address, which is also its git address without `git+`."""
        return f"{self.server_url}/{self.repository}" if self.repository else ""

    @property
    def job_key(self) -> str:
        """Equal for two tokens of the same job in the same attempt, and for no others."""
        return f"{self.issuer}#{self.repository_id}/{self.run_id}/{self.run_attempt}/{self.job_id}"

    def without_token(self) -> Self:
        """The facts of the job alone: two tokens of one job witness the same ones."""
        return type(self)(**{**asdict(self), "token_id_sha256": ""})

    def to_json(self) -> dict[str, object]:
        """The facts as JSON values."""
        return {
            name: value.value if isinstance(value, StrEnum) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Self:
        """Read what `to_json` wrote, and nothing else.

        Raises:
            MalformedFacts: a field is missing, unknown, or of another type.
        """
        expected = {field.name for field in fields(cls)}
        if set(stored) != expected:
            raise MalformedFacts(differing=sorted(set(stored) ^ expected))
        texts = expected - {"platform", "hosting", "confirmed"}
        wrong = [name for name in sorted(texts) if not isinstance(stored[name], str)]
        if wrong or not isinstance(stored["confirmed"], bool):
            raise MalformedFacts(wrong=wrong or ["confirmed"])
        try:
            platform = Platform(str(stored["platform"]))
            hosting = Hosting(str(stored["hosting"]))
        except ValueError as error:
            raise MalformedFacts(wrong=["platform", "hosting"]) from error
        return cls(
            platform=platform,
            hosting=hosting,
            confirmed=stored["confirmed"],
            **{name: str(stored[name]) for name in texts},
        )
