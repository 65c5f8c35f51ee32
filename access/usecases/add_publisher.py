"""Add a trusted publisher: a CI identity that may upload to a project."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from django.db import transaction

from access.domain.publishers import (
    DEFAULT_WAIT,
    PublisherIdentity,
    check_publisher,
    check_wait,
    same_repository,
)
from access.models import TrustedPublisher
from access.queries import named_issuer, publishers_of, wait_for_publishers
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from provenance.domain.build_facts import Platform
from provenance.queries import current_policy
from provenance.usecases.set_policy import set_policy

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from artifacts.models import Project


@dataclass(frozen=True, slots=True)
class NewPublisher:
    """The identity that shall be trusted; `issuer_name` is the store's own name of the issuer.

    The other fields are those of access.domain.publishers.PublisherIdentity; `wait` is for how
    long a pending one waits for its first exchange.
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
    repository: str = ""
    wait: timedelta = DEFAULT_WAIT

    def identity(self, issuer_url: str) -> PublisherIdentity:
        """What is asked for; events in one order, each once, so that equal ones are equal."""
        terms = asdict(self)
        del terms["issuer_name"], terms["wait"]
        return PublisherIdentity(issuer_url, **{**terms, "events": tuple(sorted(set(self.events)))})


def add_publisher(
    *, project: Project, publisher: NewPublisher, actor: Actor, now: datetime
) -> TrustedPublisher:
    """Trust this identity, and make its repository a source that the project's policy accepts.

    One that names its repository waits for the first exchange, which records the ids and makes
    them a source; where the project has recorded ids of that name already, it takes those. A
    repeat gives the publisher that is there already; a pending one then waits anew.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the project.
        IssuerNotFound: the instance has no such issuer.
        PublisherNotAllowed: no token could ever match it.
    """
    actor.require(Permission.ADMINISTER, project=project.id)
    issuer = named_issuer(publisher.issuer_name)
    wanted = publisher.identity(issuer.url)
    check_publisher(wanted, Platform(issuer.platform))
    check_wait(publisher.wait)
    with transaction.atomic(durable=True):
        wait_for_publishers(project)
        wanted = _with_recorded_ids(wanted, project)
        stored = wanted.terms()
        until = now + publisher.wait if wanted.is_pending else None
        is_first = not publishers_of(project).exists()
        added, is_new = TrustedPublisher.objects.get_or_create(
            project_id=project.id,
            issuer=issuer,
            **stored,
            defaults={"created_at": now, "created_by": actor.name, "pending_until": until},
        )
        if not is_new and added.pending_until == until:
            return added
        added.pending_until = until
        added.save(update_fields=["pending_until"])
        record(
            actor,
            "publisher.add",
            str(project.id),
            now=now,
            organization=project.organization_id,
            publisher=str(added.id),
            issuer=issuer.name,
            pending_until=until.isoformat() if until else None,
            **{name: value for name, value in stored.items() if value},
        )
        _adjust_policy(project, wanted, is_first=is_first, actor=actor, now=now)
    return added


def _with_recorded_ids(wanted: PublisherIdentity, project: Project) -> PublisherIdentity:
    """A name whose ids are known is not asked for them again: somebody else may have it now."""
    if not wanted.is_pending:
        return wanted
    for known in publishers_of(project):
        identity = known.identity
        is_same = identity.issuer == wanted.issuer and same_repository(
            identity.repository, wanted.repository
        )
        if is_same and identity.repository_id:
            return replace(wanted, repository_id=identity.repository_id, owner_id=identity.owner_id)
    return wanted


def _adjust_policy(
    project: Project, wanted: PublisherIdentity, *, is_first: bool, actor: Actor, now: datetime
) -> None:
    """Add the source, or say for a pending first one that releases alone no longer pass."""
    policy = current_policy(scope=project.scope)
    source = wanted.source
    if source is None:
        if is_first and policy.accepts_release:
            set_policy(scope=project.scope, accepts_release=False, actor=actor, now=now)
    elif source not in policy.sources:
        set_policy(scope=project.scope, sources=[*policy.sources, source], actor=actor, now=now)
