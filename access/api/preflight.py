"""The answer of the pre-flight, in words for the person who reads a job's log."""

from typing import Any, Final

from access.usecases.check_exchange import CheckedExchange

# True as long as statements are signed by this store's own authority and kept in its own log.
_SIGNING: Final = "signing publishes nothing: this store's own authority signs, its own log records"
_PRIVATE: Final = "the project is private: files and statements are for who may read it"
_PUBLIC: Final = "the project is public: anybody may read files, statements and the facts in them"


def preflight(checked: CheckedExchange) -> dict[str, Any]:
    """Identity, project, builder, level, what becomes public, and what the policy would say."""
    job, decision = checked.job, checked.decision
    project = job.publisher.project
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
            "why": [_SIGNING, _PUBLIC if project.is_public else _PRIVATE],
        },
        "policy": {
            "verdict": "passed" if decision.allowed else "failed",
            "reason": decision.reason,
            "enforcement": decision.enforcement.value,
        },
    }
