"""Set a project's verification policy: a new version, which every download answers to at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kernel.actor import Actor
from kernel.audit.record import record
from kernel.connections import joins_transaction
from provenance.domain.policy import Enforcement, Source
from provenance.domain.scope import Scope
from provenance.models import StoredPolicy
from provenance.queries import current_policy


def set_policy(
    *,
    scope: Scope,
    actor: Actor,
    now: datetime,
    sources: Sequence[Source] | None = None,
    enforcement: Enforcement | None = None,
    accepts_release: bool | None = None,
) -> int:
    """Write the next version, keeping what is not given, and say its number. Joins.

    With a first source, release attestations stop counting unless they are allowed expressly.
    The caller has authorised the actor.
    """
    joins_transaction("set_policy")
    current = current_policy(scope=scope)
    new_sources = tuple(sources) if sources is not None else current.sources
    if accepts_release is None:
        accepts_release = current.accepts_release and not (new_sources and not current.sources)
    wanted = replace(
        current,
        enforcement=enforcement or current.enforcement,
        sources=tuple(sorted(set(new_sources), key=str)),
        accepts_release=accepts_release,
    )
    document = wanted.to_json()
    # Two at once collide on (project, version): one of them is refused by the constraint.
    stored = StoredPolicy.objects.create(
        organization_id=scope.organization,
        project_id=scope.project,
        version=current.version + 1,
        document=document,
        set_at=now,
        set_by=actor.name,
    )
    record(
        actor,
        "policy.set",
        str(scope.project),
        now=now,
        organization=scope.organization,
        version=stored.version,
        before=current.to_json(),
        after=document,
    )
    return stored.version
