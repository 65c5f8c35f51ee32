"""Exchange a CI job's identity token for an upload token: trusted publishing.

The steps: read without trust, find the issuer, fetch its key (the only network, and in no
transaction), verify, read the facts, find the one publisher, then claim `jti` and write the token.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from access.domain import tokens
from access.domain.claims import witnessed_facts
from access.domain.identity_token import LEEWAY, VerifiedToken, parse_unverified, verify
from access.domain.publishers import first_difference, may_be_disclosed
from access.domain.tokens import UPLOAD_LIFE, TokenKind
from access.errors import (
    AmbiguousPublisher,
    NoMatchingPublisher,
    PublisherMismatch,
    TokenIdReused,
    UnknownIssuer,
)
from access.models import Issuer, Token, TrustedPublisher, UsedTokenId
from access.ports import KeySource
from access.queries import named_project
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from provenance.domain.build_facts import Platform, Witnessed

logger = logging.getLogger(__name__)

PERMISSIONS: Final = (Permission.READ, Permission.UPLOAD)
MOST_NAMED_PROJECTS: Final = 20


@dataclass(frozen=True, slots=True)
class Exchange:
    """What an instance exchanges tokens with: where keys come from, and who it is itself."""

    keys: KeySource
    audience: str
    allows_development_issuer: bool


@dataclass(frozen=True, slots=True)
class MintedToken:
    """An upload token's row, and its secret: the only time that anybody sees it."""

    token: Token
    project: str
    secret: str = field(repr=False)


def mint_token(
    *, identity_token: str, project: str | None, exchange: Exchange, now: datetime
) -> MintedToken:
    """Give the job a token that may upload to and read the one project, for 15 minutes.

    Without `project` the identity itself must say which: exactly one publisher has to match.
    Each identity token is exchanged once; of several attempts at once, one wins.

    Raises:
        Refusal: one of access.errors, by the first step that did not pass.
    """
    issuer, verified = _verified(identity_token, exchange, now=now)
    facts = witnessed_facts(verified, platform=Platform(issuer.platform), issuer_name=issuer.name)
    publisher = _publisher(facts, issuer, project)
    secret = tokens.make(TokenKind.UPLOAD)
    actor = Actor(name=f"ci:{facts.repository}#{facts.run_id}")
    try:
        with transaction.atomic(durable=True):
            UsedTokenId.objects.create(
                issuer=issuer,
                jti_sha256=verified.token_id_sha256,
                # Until then `verify` would accept it again.
                expires_at=verified.expires_at + LEEWAY,
            )
            token = Token.objects.create(
                kind=TokenKind.UPLOAD.value,
                name=f"{facts.repository} run {facts.run_id} attempt {facts.run_attempt}",
                secret_sha256=secret.sha256,
                project_id=publisher.project_id,
                permissions=[permission.value for permission in PERMISSIONS],
                facts=facts.to_json(),
                job_key=_job_key(facts),
                created_at=now,
                created_by=actor.name,
                expires_at=now + UPLOAD_LIFE,
            )
            _tell(actor, token, publisher, facts, now=now)
    except IntegrityError as error:
        if "each_jti_once" not in str(error):
            raise
        raise TokenIdReused(issuer=issuer.url) from None
    return MintedToken(token, str(publisher.project), secret.text)


def _verified(
    identity_token: str, exchange: Exchange, *, now: datetime
) -> tuple[Issuer, VerifiedToken]:
    """The issuer's row and its verified token."""
    unverified = parse_unverified(identity_token)
    try:
        issuer = Issuer.objects.get(url=unverified.unverified_issuer)
    except Issuer.DoesNotExist:
        raise UnknownIssuer(found=unverified.unverified_issuer) from None
    # A database that was copied from a development instance brings its issuer along.
    if issuer.is_development and not exchange.allows_development_issuer:
        raise UnknownIssuer(found=issuer.url)
    key = exchange.keys.key(
        issuer.address,
        key_id=unverified.unverified_key_id,
        algorithm=unverified.unverified_algorithm,
    )
    return issuer, verify(unverified, key=key, audience=exchange.audience, now=now)


def _publisher(facts: Witnessed, issuer: Issuer, project: str | None) -> TrustedPublisher:
    """The one publisher that this identity is, in the named project or in any.

    Raises:
        NoMatchingPublisher: with the same words whether project or publisher is missing.
        PublisherMismatch: one names this very repository, but not this owner or workflow.
        AmbiguousPublisher: several match and no project was named.
    """
    named = _publishers_of_repository(facts, issuer, project)
    compared = [(publisher, first_difference(publisher.identity, facts)) for publisher in named]
    matching = [publisher for publisher, difference in compared if difference is None]
    if len(matching) > 1:
        projects = sorted(str(publisher.project) for publisher in matching)
        raise AmbiguousPublisher(projects=projects[:MOST_NAMED_PROJECTS])
    if matching:
        return matching[0]
    for _, difference in compared:
        if difference is not None and may_be_disclosed(difference):
            raise PublisherMismatch(
                claim=difference.claim, expected=difference.expected, found=difference.found
            )
    # The identity's own claims, for whoever has to add the publisher; the project is not named.
    raise NoMatchingPublisher(
        issuer=facts.issuer,
        repository=facts.repository,
        repository_id=facts.repository_id,
        owner_id=facts.owner_id,
        workflow_path=facts.workflow_path,
    )


def _publishers_of_repository(
    facts: Witnessed, issuer: Issuer, project: str | None
) -> Sequence[TrustedPublisher]:
    publishers = TrustedPublisher.objects.filter(
        issuer=issuer, repository_id=facts.repository_id
    ).select_related("issuer", "project__organization")
    if project is not None:
        found = named_project(project)
        publishers = publishers.filter(project__in=[found] if found else [])
    return list(publishers.order_by("created_at", "id"))


def _job_key(facts: Witnessed) -> str:
    """The job that the token was made for.

    An older GitHub server names no job (`check_run_id`), only its run. Then each token counts as
    a job of its own: two that are the same are kept apart, but never two different ones joined.
    """
    return facts.job_key if facts.job_id else f"{facts.job_key}token:{facts.token_id_sha256}"


def _tell(
    actor: Actor, token: Token, publisher: TrustedPublisher, facts: Witnessed, *, now: datetime
) -> None:
    told = {
        "project": str(publisher.project_id),
        "publisher": str(publisher.id),
        "issuer": facts.issuer,
        "repository_id": facts.repository_id,
        "commit": facts.commit,
        "run_id": facts.run_id,
        "run_attempt": facts.run_attempt,
        "token_id_sha256": facts.token_id_sha256,
    }
    record(actor, "token.mint", str(token.id), now=now, **told)
    logger.info("upload token minted", extra={"token": str(token.id), **told})
