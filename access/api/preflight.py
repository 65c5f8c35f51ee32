"""The answer of the pre-flight, in words for the person who reads a job's log."""

from typing import Any, Final

from access.usecases.check_exchange import CheckedExchange
from provenance.domain.transparency import Transparency, permitted

_SIGNING: Final = {
    Transparency.PUBLIC_LOG: "signing publishes the certificate, with repository and workflow, and "
    "the statement's digest, in public logs for ever; GET /builds/{build}/transparency shows it",
    Transparency.PRIVATE_LOG: "signing publishes nothing: statements are recorded in a private log",
    Transparency.TIMESTAMP_ONLY: "signing publishes nothing: statements are recorded in no log",
}
_PRIVATE: Final = "the project is private: files and statements are for who may read it"
_PUBLIC: Final = "the project is public: anybody may read files, statements and the facts in them"


def preflight(checked: CheckedExchange) -> dict[str, Any]:
    """Identity, project, builder, level, what becomes public, and what the policy would say."""
    job, decision = checked.job, checked.decision
    project = job.publisher.project
    transparency = permitted(Transparency(project.transparency), is_public=project.is_public)
    return {
        "identity": job.facts.to_json(),
        "expires": int(job.verified.expires_at.timestamp()),
        "project": str(project),
        "publisher": str(job.publisher.id),
        "would_record_ids": job.publisher.identity.is_pending,
        "builder_id": checked.builder_id,
        "level": decision.level.value,
        "why_not_higher": list(decision.why_not_higher),
        "public": {
            "files": project.is_public,
            "statements": project.is_public,
            "transparency": transparency.value,
            "why": [_SIGNING[transparency], _PUBLIC if project.is_public else _PRIVATE],
        },
        "policy": {
            "verdict": "passed" if decision.allowed else "failed",
            "reason": decision.reason,
            "enforcement": decision.enforcement.value,
        },
    }
