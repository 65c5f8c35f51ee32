"""Add an issuer whose identity tokens this instance exchanges."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from access.domain.issuers import NewIssuer, check_issuer
from access.errors import IssuerTaken
from access.models import Issuer
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from provenance.usecases.grant_builders import grant_builders


@dataclass(frozen=True, slots=True)
class InstanceRules:
    """What an instance allows its issuers to be; `own_url` can never be one."""

    own_url: str
    allows_development_issuer: bool


def add_issuer(*, issuer: NewIssuer, rules: InstanceRules, actor: Actor, now: datetime) -> Issuer:
    """Accept this issuer's tokens and grant its builders the levels of their modes.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the instance.
        IssuerNotAllowed: it can never be one here.
        IssuerTaken: another one has its name or its URL.
    """
    actor.require(Permission.ADMINISTER, project=None)
    check_issuer(issuer, own_url=rules.own_url, allows_development=rules.allows_development_issuer)
    try:
        with transaction.atomic(durable=True):
            added = Issuer.objects.create(
                name=issuer.name,
                url=issuer.url,
                platform=issuer.platform.value,
                is_development=issuer.is_development,
                algorithms=sorted(set(issuer.algorithms)),
                longest_life_seconds=int(issuer.longest_life.total_seconds()),
                allows_private_addresses=issuer.allows_private_addresses,
                created_at=now,
            )
            record(
                actor,
                "issuer.add",
                issuer.name,
                now=now,
                url=issuer.url,
                platform=issuer.platform.value,
                is_development=issuer.is_development,
                algorithms=added.algorithms,
                longest_life_seconds=added.longest_life_seconds,
                allows_private_addresses=issuer.allows_private_addresses,
            )
            grant_builders(
                issuer_name=issuer.name,
                platform=issuer.platform,
                base_url=rules.own_url,
                actor=actor,
                now=now,
            )
    except IntegrityError as error:
        if '"issuer_' not in str(error):
            raise
        raise IssuerTaken(name=issuer.name, url=issuer.url) from None
    return added
