"""Exchange a CI job's identity token for an upload token: trusted publishing.

Identify the job, then claim `jti`, record what a publisher waits for, and write the token in one
transaction. A job that gave the digest of a secret of its own can ask again with the secret: to
renew, or after a lost answer.
"""

import hmac
import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from access.domain import tokens
from access.domain.identity_token import LEEWAY
from access.domain.tokens import UPLOAD_LIFE, TokenKind
from access.errors import IdentityTokenExpired, TokenIdReused, TokenRevoked
from access.models import Token, UsedTokenId
from access.usecases.hold_publisher import hold_publisher
from access.usecases.identify_job import Exchange, IdentifiedJob, identify_job
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from provenance.domain.build_facts import Platform, Witnessed

logger = logging.getLogger(__name__)

PERMISSIONS: Final = (Permission.READ, Permission.UPLOAD)
_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A secret of the job's own, by its SHA-256; `is_shown` when the job gave the secret itself."""

    sha256: str = field(repr=False)
    is_shown: bool


@dataclass(frozen=True, slots=True)
class MintedToken:
    """An upload token's row, and its secret: the only time that anybody sees it."""

    token: Token
    project: str
    secret: str = field(repr=False)


def mint_token(
    *,
    identity_token: str,
    project: str | None,
    exchange: Exchange,
    now: datetime,
    client_secret: ClientSecret | None = None,
) -> MintedToken:
    """Give the job a token that may upload to and read the one project, for 15 minutes.

    Each identity token is exchanged once; of several attempts at once, one wins. Only who shows
    the secret of the first exchange gets another token, until the identity token expires.

    Raises:
        Refusal: one of access.errors, by the first step that did not pass.
    """
    job = identify_job(identity_token=identity_token, project=project, exchange=exchange, now=now)
    secret = tokens.make(TokenKind.UPLOAD)
    actor = Actor(name=_actor_name(job.facts))
    with transaction.atomic(durable=True):
        publisher = hold_publisher(job=job, actor=actor, now=now)
        used, is_first = UsedTokenId.objects.get_or_create(
            issuer=job.issuer,
            jti_sha256=job.verified.token_id_sha256,
            defaults={
                "secret_sha256": client_secret.sha256 if client_secret else "",
                # Until then `verify` would accept it again.
                "expires_at": job.verified.expires_at + LEEWAY,
            },
        )
        if not is_first:
            _check_renewal(used, job, client_secret, now=now)
        token = Token.objects.create(
            kind=TokenKind.UPLOAD.value,
            name=_token_name(job.facts),
            secret_sha256=secret.sha256,
            project_id=job.publisher.project_id,
            permissions=[permission.value for permission in PERMISSIONS],
            facts=job.facts.to_json(),
            exchange=used,
            publisher=publisher,
            job_key=_job_key(job.facts),
            created_at=now,
            created_by=actor.name,
            expires_at=now + UPLOAD_LIFE,
        )
        _tell("token.mint" if is_first else "token.renew", actor, token, job, now=now)
    return MintedToken(token, str(job.publisher.project), secret.text)


def _check_renewal(
    used: UsedTokenId, job: IdentifiedJob, client_secret: ClientSecret | None, *, now: datetime
) -> None:
    """Let only the same job go on, for the same project, and not after a token was revoked.

    Raises:
        TokenIdReused: with the same words, whatever of it is not so.
        IdentityTokenExpired: no leeway here: a renewal is not a clock's mistake.
        TokenRevoked: somebody has ended this job's access.
    """
    refused = TokenIdReused(issuer=job.issuer.url)
    if client_secret is None or not client_secret.is_shown or not used.secret_sha256:
        raise refused
    if not hmac.compare_digest(client_secret.sha256, used.secret_sha256):
        raise refused
    # One at a time, so that a revocation is seen by all that come after it.
    earlier = list(used.tokens.select_for_update().order_by("created_at", "id"))
    facts, project = job.facts.to_json(), job.publisher.project_id
    if not earlier or any(one.facts != facts or one.project_id != project for one in earlier):
        raise refused
    if now >= job.verified.expires_at:
        expired = int(job.verified.expires_at.timestamp())
        raise IdentityTokenExpired(expired_at=expired, now=int(now.timestamp()))
    revoked = next((one.revoked_at for one in earlier if one.revoked_at is not None), None)
    if revoked is not None:
        raise TokenRevoked(revoked_at=revoked)


def _actor_name(facts: Witnessed) -> str:
    if facts.platform is Platform.GENERIC:
        return f"ci:{facts.issuer_name}:{facts.subject}"[:_LONGEST_NAME]
    # The end is the run's number, and kept: paths of GitLab's can be longer than the column.
    return f"ci:{facts.repository[:150]}#{facts.run_id}"


def _token_name(facts: Witnessed) -> str:
    if facts.platform is Platform.GENERIC:
        return facts.subject[:_LONGEST_NAME]
    attempt = f" attempt {facts.run_attempt}" if facts.run_attempt else f" job {facts.job_id}"
    return f"{facts.repository[:130]} run {facts.run_id}{attempt}"


def _job_key(facts: Witnessed) -> str:
    """The job that the token was made for.

    An older GitHub server names no job (`check_run_id`), only its run. Then each token counts as
    a job of its own: two that are the same are kept apart, but never two different ones joined.
    """
    return facts.job_key if facts.job_id else f"{facts.job_key}token:{facts.token_id_sha256}"


def _tell(action: str, actor: Actor, token: Token, job: IdentifiedJob, *, now: datetime) -> None:
    facts = job.facts
    told: dict[str, Any] = {
        "project": str(job.publisher.project_id),
        "publisher": str(job.publisher.id),
        "issuer": facts.issuer,
        "repository_id": facts.repository_id,
        "commit": facts.commit,
        "run_id": facts.run_id,
        "run_attempt": facts.run_attempt,
        "token_id_sha256": facts.token_id_sha256,
    }
    organization = job.publisher.project.organization_id
    record(actor, action, str(token.id), now=now, organization=organization, **told)
    logger.info("upload token minted", extra={"token": str(token.id), **told})
