"""Say which job an identity token stands for, and which trusted publisher it is.

The steps: read without trust, find the issuer, fetch its key (the only network, and in no
transaction), verify, read the facts, find the one publisher. Nothing is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from access.domain.claims import witnessed_facts
from access.domain.identity_token import VerifiedToken, parse_unverified, verify
from access.domain.publishers import first_difference, may_be_disclosed
from access.errors import (
    AlgorithmNotAllowed,
    AmbiguousPublisher,
    NoMatchingPublisher,
    PublisherMismatch,
    UnknownIssuer,
)
from access.models import Issuer, TrustedPublisher
from access.ports import KeySource
from access.queries import named_project
from provenance.domain.build_facts import Platform, Witnessed

MOST_NAMED_PROJECTS: Final = 20


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
    return IdentifiedJob(issuer, verified, facts, _publisher(facts, issuer, project))


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


def _publisher(facts: Witnessed, issuer: Issuer, project: str | None) -> TrustedPublisher:
    """The publisher that this identity is, in the named project or in any.

    Raises:
        NoMatchingPublisher: with the same words whether project or publisher is missing.
        PublisherMismatch: one names this very repository, but another claim differs.
        AmbiguousPublisher: several projects match and none was named.
    """
    named = _publishers_of_repository(facts, issuer, project)
    compared = [(publisher, first_difference(publisher.identity, facts)) for publisher in named]
    matching = [publisher for publisher, difference in compared if difference is None]
    projects = sorted({str(publisher.project) for publisher in matching})
    if len(projects) > 1:
        raise AmbiguousPublisher(projects=projects[:MOST_NAMED_PROJECTS])
    if matching:
        return matching[0]
    for _, difference in compared:
        if difference is not None and may_be_disclosed(difference):
            raise PublisherMismatch(
                claim=difference.claim, expected=difference.expected, found=difference.found
            )
    # The identity's own claims, for whoever has to add the publisher; the project is not named.
    if facts.platform is Platform.GENERIC:
        raise NoMatchingPublisher(issuer=facts.issuer, subject=facts.subject)
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
    is_generic = facts.platform is Platform.GENERIC
    publishers = TrustedPublisher.objects.filter(
        issuer=issuer,
        repository_id=facts.repository_id,
        subject=facts.subject if is_generic else "",
    ).select_related("issuer", "project__organization")
    if project is not None:
        found = named_project(project)
        publishers = publishers.filter(project__in=[found] if found else [])
    return list(publishers.order_by("created_at", "id"))
