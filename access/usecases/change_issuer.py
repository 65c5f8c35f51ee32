"""Change what is accepted of an issuer: algorithms, longest life, private addresses."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from access.domain.issuers import NewIssuer, check_issuer
from access.models import Issuer
from access.queries import held_issuer
from access.usecases.add_issuer import InstanceRules
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from provenance.domain.build_facts import Platform


@dataclass(frozen=True, slots=True)
class IssuerLimits:
    """The limits that shall be other ones; None keeps what is there."""

    algorithms: tuple[str, ...] | None = None
    longest_life: timedelta | None = None
    allows_private_addresses: bool | None = None


def change_issuer(
    *, name: str, limits: IssuerLimits, rules: InstanceRules, actor: Actor, now: datetime
) -> Issuer:
    """Accept its tokens within these limits from the next exchange on.

    Name, URL and platform are part of what was attested, and never change. A repeat changes
    nothing.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the instance.
        IssuerNotFound: there is none of this name.
        IssuerNotAllowed: no issuer may have these limits.
    """
    actor.require(Permission.ADMINISTER, project=None)
    with transaction.atomic(durable=True):
        issuer = held_issuer(name)
        before = _limits(issuer)
        if limits.algorithms is not None:
            issuer.algorithms = sorted(set(limits.algorithms))
        if limits.longest_life is not None:
            issuer.longest_life_seconds = int(limits.longest_life.total_seconds())
        if limits.allows_private_addresses is not None:
            issuer.allows_private_addresses = limits.allows_private_addresses
        check_issuer(
            _as_new(issuer),
            own_url=rules.own_url,
            allows_development=rules.allows_development_issuer,
        )
        after = _limits(issuer)
        if after != before:
            issuer.save(update_fields=list(after))
            record(actor, "issuer.change", issuer.name, now=now, before=before, after=after)
    return issuer


def _limits(issuer: Issuer) -> dict[str, object]:
    return {
        "algorithms": list(issuer.algorithms),
        "longest_life_seconds": issuer.longest_life_seconds,
        "allows_private_addresses": issuer.allows_private_addresses,
    }


def _as_new(issuer: Issuer) -> NewIssuer:
    return NewIssuer(
        name=issuer.name,
        url=issuer.url,
        platform=Platform(issuer.platform),
        is_development=issuer.is_development,
        algorithms=tuple(issuer.algorithms),
        longest_life=timedelta(seconds=issuer.longest_life_seconds),
        allows_private_addresses=issuer.allows_private_addresses,
    )
