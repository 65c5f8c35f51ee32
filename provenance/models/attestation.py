"""Attestations: bundles as exact bytes, beside a projection to find them by."""

import uuid

from django.db import models

from provenance.errors import EvidenceEnded
from provenance.models.evidence_end import EvidenceEnd
from provenance.models.request import AttestationRequest


class Attestation(models.Model):
    """A signed statement that we keep. Never changed; found by scope and subject digest.

    A request has at most one: of two workers that sign the same request, one records. A removal has
    neither build nor subjects here: whoever removed says which it is of (a tombstone).

    Its bundle may `end` when what it is about has long been gone (docs/adr/0052): then there are no
    bytes, and everything else stays. A removal's never does.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    request = models.OneToOneField(AttestationRequest, on_delete=models.PROTECT)
    organization_id = models.UUIDField()
    project_id = models.UUIDField()
    build_id = models.UUIDField(null=True)
    predicate_type = models.CharField(max_length=200)
    bundle = models.BinaryField(null=True)
    bundle_sha256 = models.CharField(max_length=64)
    recorded_at = models.DateTimeField()
    # Few are asked for by their end, and by no server.
    end = models.ForeignKey(EvidenceEnd, on_delete=models.PROTECT, null=True, db_index=False)

    class Meta:
        db_table = "attestation"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(bundle__isnull=False, end=None)
                | models.Q(bundle=None, end__isnull=False),
                name="bundle_or_its_end",
            ),
            models.CheckConstraint(
                condition=models.Q(end=None) | models.Q(build_id__isnull=False),
                name="removal_never_ends",
            ),
        ]
        indexes = [models.Index(fields=["-recorded_at", "id"], name="attestation_newest")]

    def __str__(self) -> str:
        return f"{self.predicate_type} {self.pk}"

    @property
    def kept_bundle(self) -> bytes:
        """The exact bytes of its bundle; nobody has verified them here.

        Raises:
            EvidenceEnded: there are none any more.
        """
        if self.bundle is None:
            end = self.end
            raise EvidenceEnded(
                bundle_sha256=self.bundle_sha256,
                ended_at=end.ended_at if end is not None else None,
                manifest_sha256=end.manifest_sha256 or None if end is not None else None,
            )
        return bytes(self.bundle)


class AttestationSubject(models.Model):
    """One subject of an attestation: the edge from a digest, within a scope, to its evidence."""

    id = models.BigAutoField(primary_key=True)
    attestation = models.ForeignKey(Attestation, on_delete=models.PROTECT, related_name="subjects")
    project_id = models.UUIDField()
    build_id = models.UUIDField()
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=1024)

    class Meta:
        db_table = "attestation_subject"
        indexes = [
            models.Index(
                fields=["project_id", "sha256", "build_id"], name="subject_by_scope_digest_build"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.sha256[:12]}"
