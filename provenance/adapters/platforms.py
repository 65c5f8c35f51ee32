"""The platforms whose APIs an administrator said to ask, each by its issuer's name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from provenance.adapters import github_jobs, gitlab_jobs
from provenance.adapters.platform_api import PlatformApi
from provenance.domain.build_facts import Platform, Witnessed
from provenance.domain.confirmation import Confirmation, Observed, compare, unnamed_job
from provenance.errors import JobContradicted, JobUnknown, PlatformUnavailable


class Observe(Protocol):
    """Ask an API about a job."""

    def __call__(self, api: PlatformApi, facts: Witnessed, *, now: datetime) -> Observed: ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one platform is asked."""

    names_a_job: Callable[[Witnessed], bool]
    observe: Observe


DIALECTS: Final[Mapping[Platform, Dialect]] = {
    Platform.GITHUB: Dialect(github_jobs.names_a_job, github_jobs.observe),
    Platform.GITLAB: Dialect(gitlab_jobs.names_a_job, gitlab_jobs.observe),
}


class Platforms:
    """A RunConfirmation over HTTP. One for a process: it remembers who asked to be left alone."""

    def __init__(self, apis: Mapping[str, PlatformApi]) -> None:
        self._apis = apis

    @property
    def issuers(self) -> frozenset[str]:
        return frozenset(self._apis)

    def ask(
        self, facts: Witnessed, *, sealed_at: datetime, now: datetime
    ) -> Confirmation | JobContradicted | JobUnknown | PlatformUnavailable:
        """See provenance.ports.RunConfirmation."""
        api = self._apis.get(facts.issuer_name)
        dialect = DIALECTS.get(facts.platform)
        if api is None or dialect is None:
            return PlatformUnavailable(reason="nobody said which API to ask")
        where = api.address.url
        if not dialect.names_a_job(facts):
            return unnamed_job(api=where, asked_at=now)
        try:
            observed = dialect.observe(api, facts, now=now)
            return compare(facts, observed, api=where, sealed_at=sealed_at, asked_at=now)
        except (JobContradicted, JobUnknown, PlatformUnavailable) as refusal:
            return refusal
