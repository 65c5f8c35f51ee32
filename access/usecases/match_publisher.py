"""Find the one trusted publisher that a job is: a step of identifying it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.db.models import Q

from access.domain.publishers import Difference, first_difference, may_be_disclosed
from access.errors import AmbiguousPublisher, NoMatchingPublisher, PublisherMismatch
from access.models import Issuer, TrustedPublisher
from access.queries import named_project
from provenance.domain.build_facts import Platform, Witnessed

MOST_NAMED_PROJECTS: Final = 20


def match_publisher(
    *, facts: Witnessed, issuer: Issuer, project: str | None, now: datetime
) -> TrustedPublisher:
    """The publisher that this identity is, in the named project or in any.

    One whose ids are recorded goes before a pending one: a name is only asked where no id is known.

    Raises:
        NoMatchingPublisher: with the same words whether project or publisher is missing.
        PublisherMismatch: one names this very repository, but another claim differs.
        AmbiguousPublisher: several projects match and none was named.
    """
    named = _publishers_of_repository(facts, issuer, project, now=now)
    compared = [(publisher, first_difference(publisher.identity, facts)) for publisher in named]
    matching = [publisher for publisher, difference in compared if difference is None]
    projects = sorted({str(publisher.project) for publisher in matching})
    if len(projects) > 1:
        raise AmbiguousPublisher(projects=projects[:MOST_NAMED_PROJECTS])
    if not matching:
        raise not_matching(facts=facts, differences=(difference for _, difference in compared))
    return min(matching, key=lambda publisher: publisher.identity.is_pending)


def not_matching(
    *, facts: Witnessed, differences: Iterable[Difference | None]
) -> PublisherMismatch | NoMatchingPublisher:
    """The refusal: it names a difference only to whoever stands in the publisher's repository."""
    for difference in differences:
        if difference is not None and may_be_disclosed(difference):
            return PublisherMismatch(
                claim=difference.claim, expected=difference.expected, found=difference.found
            )
    # The identity's own claims, for whoever has to add the publisher; the project is not named.
    if facts.platform is Platform.GENERIC:
        return NoMatchingPublisher(issuer=facts.issuer, subject=facts.subject)
    return NoMatchingPublisher(
        issuer=facts.issuer,
        repository=facts.repository,
        repository_id=facts.repository_id,
        owner_id=facts.owner_id,
        workflow_path=facts.workflow_path,
    )


def _publishers_of_repository(
    facts: Witnessed, issuer: Issuer, project: str | None, *, now: datetime
) -> Sequence[TrustedPublisher]:
    publishers = TrustedPublisher.objects.filter(issuer=issuer)
    if facts.platform is Platform.GENERIC:
        publishers = publishers.filter(subject=facts.subject)
    else:
        waiting = Q(repository_id="", repository__iexact=facts.repository, pending_until__gt=now)
        publishers = publishers.filter(Q(repository_id=facts.repository_id) | waiting)
    if project is not None:
        found = named_project(project)
        publishers = publishers.filter(project__in=[found] if found else [])
    publishers = publishers.select_related("issuer", "project__organization")
    return list(publishers.order_by("created_at", "id"))
