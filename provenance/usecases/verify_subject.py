"""Verify an artifact against its project's policy, offline (docs/architecture.md, step 8)."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from provenance.domain.evidence import Expected, examine
from provenance.domain.policy import Finding, evaluate
from provenance.domain.report import RULES_VERSION, Basis, Verdict, read_verdict, verdict
from provenance.models import Attestation, StoredDecision
from provenance.ports import BundleVerifier
from provenance.queries import (
    attestations_of,
    current_policy,
    trust_map,
    trust_root,
    trust_state,
)

HOLDS: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Judge:
    """What judging needs: who verifies bundles, and whether web and attestor share an account."""

    verifier: BundleVerifier
    key_is_shared: bool


def verify_subject(*, expected: Expected, judge: Judge, now: datetime) -> Verdict:
    """Answer whether the artifact may be handed out, with every step for every attestation.

    The answer is kept, keyed by everything it depends on: a new attestation, policy, trust map,
    trust root or revocation changes the key, so that a kept answer is never out of date.

    Raises:
        TrustRootMissing: nothing can be verified yet; never an allowance.
    """
    state = trust_state()
    basis = Basis(
        policy=current_policy(scope=expected.scope),
        trust_map=trust_map(version=state.trust_map_version, key_is_shared=judge.key_is_shared),
        trust_root_version=state.trust_root_version,
        revocation_epoch=state.revocation_epoch,
    )
    attestations = attestations_of(
        scope=expected.scope, build=expected.build, digest=expected.subject.digest
    )
    key = _key(expected, basis, attestations)
    kept = StoredDecision.objects.filter(pk=key, holds_until__gt=now).first()
    if kept is not None:
        return replace(read_verdict(kept.report), decision=key)
    root = trust_root(version=basis.trust_root_version)
    findings = [
        Finding(
            attestation=attestation.pk,
            predicate_type=attestation.predicate_type,
            evidence=examine(
                judge.verifier.verify(bytes(attestation.bundle), trust_root=root), expected
            ),
        )
        for attestation in attestations
    ]
    decision = evaluate(basis.policy, basis.trust_map, findings, base_url=expected.base_url)
    answer = verdict(decision, expected, basis, decided_at=now)
    _keep(key, expected, answer, now=now)
    return replace(answer, decision=key)


def _key(expected: Expected, basis: Basis, attestations: list[Attestation]) -> str:
    """Digest everything that the answer depends on (HOUSE: decisions are keyed, not expired).

    The evidence set enters by its bundles' digests, so that not even a row changed behind our
    back is answered for by what was decided before.
    """
    parts = [
        RULES_VERSION,
        expected.base_url,
        str(expected.scope.organization),
        str(expected.scope.project),
        str(expected.build),
        expected.subject.name,
        expected.subject.digest.hex,
        basis.policy.version,
        basis.trust_map.version,
        basis.trust_map.key_is_shared,
        basis.trust_root_version,
        basis.revocation_epoch,
        [hashlib.sha256(one.bundle).hexdigest() for one in attestations],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _keep(key: str, expected: Expected, answer: Verdict, *, now: datetime) -> None:
    """Two answers at once are the same answer; an outdated one is renewed."""
    StoredDecision.objects.update_or_create(
        pk=key,
        defaults={
            "project_id": expected.scope.project,
            "build_id": expected.build,
            "sha256": expected.subject.digest.hex,
            "allowed": answer.allowed,
            "reason": answer.reason,
            "report": answer.document,
            "decided_at": now,
            "holds_until": now + HOLDS,
        },
    )
