"""Provenance's tables, one aggregate a module."""

from provenance.models.attestation import Attestation, AttestationSubject
from provenance.models.decision import StoredDecision
from provenance.models.embedded_log import (
    LogCheckpoint,
    LogLeaf,
    LogNode,
    LogTree,
    SealedKey,
    SignerGeneration,
    TreeKind,
)
from provenance.models.evidence_end import EvidenceEnd
from provenance.models.policy import StoredPolicy
from provenance.models.request import AttestationRequest, ConfirmationOutcome, RequestState
from provenance.models.trust import StoredTrustMap, StoredTrustRoot, TrustState

__all__ = [
    "Attestation",
    "AttestationRequest",
    "AttestationSubject",
    "ConfirmationOutcome",
    "EvidenceEnd",
    "LogCheckpoint",
    "LogLeaf",
    "LogNode",
    "LogTree",
    "RequestState",
    "SealedKey",
    "SignerGeneration",
    "StoredDecision",
    "StoredPolicy",
    "StoredTrustMap",
    "StoredTrustRoot",
    "TreeKind",
    "TrustState",
]
