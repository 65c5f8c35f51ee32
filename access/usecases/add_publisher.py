"""Add a trusted publisher: a CI identity that may upload to a project."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from access.domain.publishers import PublisherIdentity, check_publisher
from access.errors import IssuerNotFound
from access.models import Issuer, TrustedPublisher
from access.queries import publishers_of
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from provenance.domain.build_facts import Platform
from provenance.domain.policy import Source
from provenance.usecases.set_policy import set_policy

if TYPE_CHECKING:
    from datetime import datetime

    from artifacts.models import Project


@dataclass(frozen=True, slots=True)
class NewPublisher:
    """The identity that shall be trusted; `issuer_name` is the store's own name of the issuer.

    The other fields are those of access.domain.publishers.PublisherIdentity.
    """

    issuer_name: str
    repository_id: str = ""
    owner_id: str = ""
    workflow_path: str = ""
    subject: str = ""
    reusable_workflow: str = ""
    ref: str = ""
    environment: str = ""
    requires_protected_ref: bool = False
    events: tuple[str, ...] = ()

    def terms(self) -> dict[str, Any]:
        """All but the issuer; events in one order, each once, so that equal ones are equal."""
        terms = asdict(self)
        del terms["issuer_name"]
        return {**terms, "events": tuple(sorted(set(self.events)))}


def add_publisher(
    *, project: Project, publisher: NewPublisher, actor: Actor, now: datetime
) -> TrustedPublisher:
    """Trust this identity, and make its repository a source that the project's policy accepts.

    A repeat gives the publisher that is there already and changes nothing.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the project.
        IssuerNotFound: the instance has no such issuer.
        PublisherNotAllowed: no token could ever match it.
    """
    actor.require(Permission.ADMINISTER, project=project.id)
    issuer = Issuer.objects.filter(name=publisher.issuer_name).order_by("id").first()
    if issuer is None:
        raise IssuerNotFound(found=publisher.issuer_name)
    terms = publisher.terms()
    check_publisher(PublisherIdentity(issuer.url, **terms), Platform(issuer.platform))
    stored = {**terms, "events": list(terms["events"])}
    with transaction.atomic(durable=True):
        _wait_for_turn(project)
        existing = publishers_of(project).filter(issuer=issuer, **stored).first()
        if existing is not None:
            return existing
        added = TrustedPublisher.objects.create(
            project_id=project.id,
            issuer=issuer,
            created_at=now,
            created_by=actor.name,
            **stored,
        )
        record(
            actor,
            "publisher.add",
            str(project.id),
            now=now,
            publisher=str(added.id),
            issuer=issuer.name,
            **{name: value for name, value in stored.items() if value},
        )
        sources = {_source(trusted) for trusted in publishers_of(project)}
        set_policy(scope=project.scope, sources=sorted(sources, key=str), actor=actor, now=now)
    return added


def _source(publisher: TrustedPublisher) -> Source:
    return Source(
        publisher.issuer.url, publisher.repository_id, publisher.owner_id, publisher.subject
    )


def _wait_for_turn(project: Project) -> None:
    """One at a time for each project: the policy lists all its publishers, so each must see all.

    An advisory lock, because the project's row belongs to another app; it ends with the
    transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"access.publishers:{project.id}"],
        )
