"""Pre-flight: what an exchange of this identity token would give, without using it up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from access.errors import TokenIdReused
from access.models import UsedTokenId
from access.usecases.identify_job import Exchange, IdentifiedJob, identify_job
from provenance.domain.builders import builder_id, mode_of
from provenance.domain.policy import Source
from provenance.usecases.foresee_verdict import foresee_verdict

if TYPE_CHECKING:
    from datetime import datetime

    from provenance.domain.policy import Decision


@dataclass(frozen=True, slots=True)
class CheckedExchange:
    """The job, the builder that its provenance would name, and what the policy would say of it."""

    job: IdentifiedJob
    builder_id: str
    decision: Decision


def check_exchange(
    *,
    identity_token: str,
    project: str | None,
    exchange: Exchange,
    key_is_shared: bool,
    now: datetime,
) -> CheckedExchange:
    """Take every step of the exchange but the last: nothing is written, the `jti` stays unused.

    Raises:
        Refusal: the same one that the exchange would give.
    """
    job = identify_job(identity_token=identity_token, project=project, exchange=exchange, now=now)
    used = UsedTokenId.objects.filter(issuer=job.issuer, jti_sha256=job.verified.token_id_sha256)
    if used.exists():
        raise TokenIdReused(issuer=job.issuer.url)
    base_url = exchange.audience
    decision = foresee_verdict(
        facts=job.facts,
        scope=job.publisher.project.scope,
        awaited=_awaited(job),
        base_url=base_url,
        key_is_shared=key_is_shared,
    )
    builder = builder_id(job.facts.issuer_name, mode_of(job.facts), base_url=base_url)
    return CheckedExchange(job, builder, decision)


def _awaited(job: IdentifiedJob) -> Source | None:
    """What the exchange of a pending publisher would record."""
    if not job.publisher.identity.is_pending:
        return None
    return Source(job.facts.issuer, job.facts.repository_id, job.facts.owner_id)
