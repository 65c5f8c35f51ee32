"""Verify an artifact against its project's policy, offline (docs/architecture.md, step 8)."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from kernel.rows import Joined
from provenance.domain.evidence import Expected, examine
from provenance.domain.policy import Finding, evaluate
from provenance.domain.report import RULES_VERSION, Basis, Verdict, read_verdict, verdict
from provenance.domain.scope import Scope
from provenance.models import (
    Attestation,
    StoredDecision,
    StoredPolicy,
    StoredTrustMap,
    TrustState,
)
from provenance.ports import BundleVerifier
from provenance.queries import attestations_of, read_policy, read_trust_map, trust_root

HOLDS: Final = timedelta(hours=24)

# Asked for each download.
_BASIS: Final = Joined(
    """
    SELECT {state}, {trust_map}, {policy} FROM (SELECT %(project)s::uuid AS project_id) AS asked
    LEFT JOIN trust_state AS state ON state.id = 1
    LEFT JOIN trust_map ON trust_map.version = state.trust_map_version
    LEFT JOIN LATERAL (
        SELECT * FROM verification_policy WHERE project_id = asked.project_id
        ORDER BY version DESC LIMIT 1
    ) AS policy ON true
    """,
    state=TrustState,
    trust_map=StoredTrustMap,
    policy=StoredPolicy,
)
_KEPT: Final = Joined(
    "SELECT {decision} FROM decision WHERE key = %(key)s AND holds_until > %(now)s",
    decision=StoredDecision,
)


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
    basis = _basis(expected.scope, key_is_shared=judge.key_is_shared)
    attestations = attestations_of(
        scope=expected.scope, build=expected.build, digest=expected.subject.digest
    )
    key = _key(expected, basis, attestations)
    kept = _KEPT.first(key=key, now=now)
    if kept is not None:
        return replace(read_verdict(kept.the(StoredDecision).report), decision=key)
    root = trust_root(version=basis.trust_root_version)
    findings = [
        Finding(
            attestation=attestation.pk,
            predicate_type=attestation.predicate_type,
            evidence=examine(
                judge.verifier.verify(_unverified(attestation), trust_root=root), expected
            ),
        )
        for attestation in attestations
    ]
    decision = evaluate(basis.policy, basis.trust_map, findings, base_url=expected.base_url)
    answer = verdict(decision, expected, basis, decided_at=now)
    _keep(key, expected, answer, now=now)
    return replace(answer, decision=key)


def _basis(scope: Scope, *, key_is_shared: bool) -> Basis:
    row = _BASIS.first(project=scope.project)
    if row is None:
        raise AssertionError("a statement without a condition found nothing")
    state = row.maybe(TrustState) or TrustState()
    granted = row.maybe(StoredTrustMap)
    if state.trust_map_version and granted is None:
        raise AssertionError("the trust map that holds is not there")
    return Basis(
        policy=read_policy(row.maybe(StoredPolicy)),
        trust_map=read_trust_map(granted, key_is_shared=key_is_shared),
        trust_root_version=state.trust_root_version,
        revocation_epoch=state.revocation_epoch,
    )


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
        [hashlib.sha256(_unverified(one)).hexdigest() for one in attestations],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _unverified(attestation: Attestation) -> bytes:
    """Its bundle. What has ended is none, and so it is refused like any that cannot be read."""
    return bytes(attestation.bundle or b"")


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
