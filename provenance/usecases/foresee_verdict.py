"""What a project's policy would say of a job's provenance, before anything was uploaded."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from provenance.domain import slsa_v1
from provenance.domain.build_facts import Witnessed
from provenance.domain.evidence import Evidence
from provenance.domain.policy import Decision, Finding, Source, evaluate
from provenance.domain.scope import Scope
from provenance.domain.slsa_v1 import Sealed
from provenance.domain.statement import Statement
from provenance.queries import current_policy, trust_map, trust_state

_NO_BUILD: Final = UUID(int=0)
_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


def foresee_verdict(
    *, facts: Witnessed, scope: Scope, awaited: Source | None, base_url: str, key_is_shared: bool
) -> Decision:
    """Judge the provenance that this job would get by today's policy and trust map.

    `awaited` is a source that the job's exchange would add to the policy before anything else.

    By the very rules of a download: the same predicate, the same evaluation. Only the signature
    is missing, and the files.

    Raises:
        UnattestableEvent: the job's commit is not the code that runs.
    """
    sealed = Sealed(project=scope.project, build=_NO_BUILD, opened_at=_NO_TIME, sealed_at=_NO_TIME)
    predicate = slsa_v1.provenance(facts, sealed, base_url=base_url)
    statement = Statement((), slsa_v1.PREDICATE_TYPE, predicate)
    finding = Finding(_NO_BUILD, slsa_v1.PREDICATE_TYPE, Evidence((), statement))
    granted = trust_map(version=trust_state().trust_map_version, key_is_shared=key_is_shared)
    policy = current_policy(scope=scope)
    if awaited is not None:
        policy = replace(policy, sources=(*policy.sources, awaited))
    return evaluate(policy, granted, [finding], base_url=base_url)
