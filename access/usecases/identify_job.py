"""Say which job an identity token stands for, and which trusted publisher it is.

The steps: read without trust, find the issuer, fetch its key (the only network, and in no
transaction), verify, read the facts, find the one publisher. Nothing is written.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from access.domain.claims import witnessed_facts
from access.domain.identity_token import VerifiedToken, parse_unverified, verify
from access.errors import AlgorithmNotAllowed, IssuerDisabled, UnknownIssuer
from access.models import Issuer, TrustedPublisher
from access.ports import KeySource
from access.usecases.match_publisher import match_publisher
from provenance.domain.build_facts import Platform, Witnessed


@dataclass(frozen=True, slots=True)
class Exchange:
    """What an instance exchanges tokens with: where keys come from, and who it is itself."""

    keys: KeySource
    audience: str
    allows_development_issuer: bool


@dataclass(frozen=True, slots=True)
class IdentifiedJob:
    """A job whose identity was proven, and the publisher that trusts it with one project."""

    issuer: Issuer
    verified: VerifiedToken
    facts: Witnessed
    publisher: TrustedPublisher


def identify_job(
    *, identity_token: str, project: str | None, exchange: Exchange, now: datetime
) -> IdentifiedJob:
    """Identify the job; without `project` exactly one project has to trust it.

    Raises:
        Refusal: one of access.errors, by the first step that did not pass.
    """
    issuer, verified = _verified(identity_token, exchange, now=now)
    facts = witnessed_facts(verified, platform=Platform(issuer.platform), issuer_name=issuer.name)
    publisher = match_publisher(facts=facts, issuer=issuer, project=project, now=now)
    return IdentifiedJob(issuer, verified, facts, publisher)


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
    if issuer.disabled_at is not None:
        raise IssuerDisabled(issuer=issuer.url, disabled_at=issuer.disabled_at)
    if unverified.unverified_algorithm not in issuer.algorithms:
        raise AlgorithmNotAllowed(
            found=unverified.unverified_algorithm, allowed=tuple(issuer.algorithms)
        )
    key = exchange.keys.key(
        issuer.address,
        key_id=unverified.unverified_key_id,
        algorithm=unverified.unverified_algorithm,
    )
    verified = verify(
        unverified,
        key=key,
        audience=exchange.audience,
        now=now,
        longest_life=timedelta(seconds=issuer.longest_life_seconds),
    )
    return issuer, verified
