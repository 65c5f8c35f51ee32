"""Every refusal that artifacts can give outside their domain modules."""

from kernel.errors import Kind, Refusal


class OrganizationNotFound(Refusal):
    """There is no such organization, or none that this token may see."""

    code = "organization-not-found"
    kind = Kind.NOT_FOUND


class ProjectNotFound(Refusal):
    """There is no such project, or none that this token may see."""

    code = "project-not-found"
    kind = Kind.NOT_FOUND


class BuildNotFound(Refusal):
    """There is no such build, or none that this token may see."""

    code = "build-not-found"
    kind = Kind.NOT_FOUND


class BuildNotYours(Refusal):
    """Only a build's own jobs, or the token that opened a release, may add to it or seal it."""

    code = "build-not-yours"
    kind = Kind.FORBIDDEN


class CiIdentityMissing(Refusal):
    """Only a CI job whose run was witnessed can give a build a name or share it."""

    code = "ci-identity-missing"
    kind = Kind.INVALID


class BuildSealed(Refusal):
    """The build is sealed: its files are fixed, and no other can be added."""

    code = "build-sealed"
    kind = Kind.CONFLICT


class BuildDiffers(Refusal):
    """The build does not have the files that it should be sealed with; it stays open."""

    code = "build-differs"
    kind = Kind.CONFLICT


class BuildEmpty(Refusal):
    """A build without files cannot be sealed: there is nothing to attest."""

    code = "build-empty"
    kind = Kind.CONFLICT


class BuildFull(Refusal):
    """The build has as many files as one build may have."""

    code = "build-full"
    kind = Kind.TOO_LARGE


class ArtifactNotFound(Refusal):
    """There is no such artifact, or none that this token may see."""

    code = "artifact-not-found"
    kind = Kind.NOT_FOUND


class ArtifactExpired(Refusal):
    """The artifact has expired by a retention rule: its bytes are not handed out any more."""

    code = "artifact-expired"
    kind = Kind.GONE


class TombstoneNotFound(Refusal):
    """There is no tombstone of this artifact, or none that this token may see."""

    code = "tombstone-not-found"
    kind = Kind.NOT_FOUND


class RetentionPlanNotFound(Refusal):
    """There is no such retention plan, or none that this token may see."""

    code = "retention-plan-not-found"
    kind = Kind.NOT_FOUND


class RetentionPlanStale(Refusal):
    """What the plan depends on has changed since it was made; nothing was removed by it."""

    code = "retention-plan-stale"
    kind = Kind.CONFLICT


class RetentionPreviewNotFound(Refusal):
    """There is no such preview of a retention policy, or none that this token may see."""

    code = "retention-preview-not-found"
    kind = Kind.NOT_FOUND


class RetentionPreviewStale(Refusal):
    """What was previewed is not what would be saved now: the document or a policy is another."""

    code = "retention-preview-stale"
    kind = Kind.CONFLICT


class RetentionRunUnderWay(Refusal):
    """Another retention run is under way, and there is one at a time."""

    code = "retention-run-under-way"
    kind = Kind.CONFLICT


class LatestNotFound(Refusal):
    """No artifact of this path is the latest of that ref: none is published, or none may be."""

    code = "latest-not-found"
    kind = Kind.NOT_FOUND


class AttestationNotFound(Refusal):
    """There is no such attestation about this artifact."""

    code = "attestation-not-found"
    kind = Kind.NOT_FOUND


class ArtifactNotPublished(Refusal):
    """The artifact is stored, but its build has not been published."""

    code = "artifact-not-published"
    kind = Kind.CONFLICT


class PolicyChanged(Refusal):
    """The policy was changed in the meantime; look at it again."""

    code = "policy-changed"
    kind = Kind.CONFLICT


class PrivateProjectInPublicLog(Refusal):
    """Statements of a private project are never written into a public log."""

    code = "private-project-in-public-log"
    kind = Kind.CONFLICT


class PublicSigningUnderWay(Refusal):
    """Statements of the project are on their way into a public log at this moment."""

    code = "public-signing-under-way"
    kind = Kind.CONFLICT


class TransparencyNotOffered(Refusal):
    """This store has no signer that records statements so."""

    code = "transparency-not-offered"
    kind = Kind.CONFLICT


class NameTaken(Refusal):
    """This name is taken, and names are never given to other things."""

    code = "name-taken"
    kind = Kind.CONFLICT


class PathTaken(Refusal):
    """This path already names other bytes; artifacts are never overwritten."""

    code = "path-taken"
    kind = Kind.CONFLICT


class UploadNotFound(Refusal):
    """There is no such upload, or none that this token may see."""

    code = "upload-not-found"
    kind = Kind.NOT_FOUND


class UploadInProgress(Refusal):
    """Something is on its way to this path already, or has arrived there."""

    code = "upload-in-progress"
    kind = Kind.CONFLICT


class UploadIncomplete(Refusal):
    """Parts of the upload are missing or have other sizes than they should; it stays open."""

    code = "upload-incomplete"
    kind = Kind.CONFLICT


class UploadForgotten(Refusal):
    """The bucket knows the upload no more, and no object that was made of it."""

    code = "upload-forgotten"
    kind = Kind.CONFLICT


class UploadEnded(Refusal):
    """The upload has ended: it takes no parts and cannot be completed or given up."""

    code = "upload-ended"
    kind = Kind.CONFLICT


class UploadsPending(Refusal):
    """The build has uploads that are not in it yet; it stays open."""

    code = "uploads-pending"
    kind = Kind.CONFLICT


class PartUnknown(Refusal):
    """The upload has no part of this number."""

    code = "part-unknown"
    kind = Kind.INVALID


class DirectUploadsUnavailable(Refusal):
    """This store takes no uploads past itself, straight to its bucket."""

    code = "direct-uploads-unavailable"
    kind = Kind.CONFLICT


class DigestMismatch(Refusal):
    """The bytes that arrived do not have the digest that was declared."""

    code = "digest-mismatch"
    kind = Kind.INVALID


class DigestsContradict(Refusal):
    """Two headers declare different SHA-256 digests for the same body."""

    code = "digests-contradict"
    kind = Kind.MALFORMED


class LengthRequired(Refusal):
    """A body without Content-Length needs a declared digest, or its end cannot be proven."""

    code = "length-required"
    kind = Kind.LENGTH_REQUIRED


class EncodedUpload(Refusal):
    """Uploads are stored as they are sent: a Content-Encoding would be part of the bytes."""

    code = "encoded-upload"
    kind = Kind.UNSUPPORTED


class PartialUpload(Refusal):
    """Uploads are whole: a PUT with Content-Range cannot add to one."""

    code = "partial-upload"
    kind = Kind.MALFORMED


class UploadTooLarge(Refusal):
    """The upload is larger than this store takes through the app."""

    code = "upload-too-large"
    kind = Kind.TOO_LARGE


class UploadTruncated(Refusal):
    """The body ended before the bytes that were announced had arrived."""

    code = "upload-truncated"
    kind = Kind.MALFORMED


class StorageFull(Refusal):
    """The store has no room for these bytes; nothing of them was kept."""

    code = "storage-full"
    kind = Kind.NO_SPACE


class QuotaExceeded(Refusal):
    """The organization or the project has as much as its quota allows."""

    code = "quota-exceeded"
    kind = Kind.NO_SPACE


class StorageUnavailable(Refusal):
    """The store cannot be reached now."""

    code = "storage-unavailable"
    kind = Kind.UNAVAILABLE


class BlobMissing(Refusal):
    """The bytes of this artifact are not where they should be; operators have been told."""

    code = "blob-missing"
    kind = Kind.UNAVAILABLE


class BlobDamaged(Refusal):
    """The stored bytes are no longer the ones that were uploaded; they are not handed out."""

    code = "blob-damaged"
    kind = Kind.UNAVAILABLE


class ReportOutdated(Refusal):
    """The report is too old to repair by: compare again, and look at what is found now."""

    code = "report-outdated"
    kind = Kind.CONFLICT


class CollectorBusy(Refusal):
    """Somebody else is collecting or repairing the store at this moment."""

    code = "collector-busy"
    kind = Kind.CONFLICT


class ArchivesBusy(Refusal):
    """As many archives are being looked into as this store does at once; come back soon."""

    code = "archives-busy"
    kind = Kind.UNAVAILABLE


class DownloadLogUnavailable(Refusal):
    """The download cannot be logged now, and what is not logged is not handed out."""

    code = "download-log-unavailable"
    kind = Kind.UNAVAILABLE


class RangeNotSatisfiable(Refusal):
    """The asked range lies outside of the artifact."""

    code = "range-not-satisfiable"
    kind = Kind.RANGE


class PreconditionFailed(Refusal):
    """A condition of the request does not hold for the artifact as it is."""

    code = "precondition-failed"
    kind = Kind.PRECONDITION


class ArtifactRemoved(Refusal):
    """Somebody has removed the artifact: its bytes are not handed out any more."""

    code = "artifact-removed"
    kind = Kind.GONE


class ArtifactQuarantined(Refusal):
    """An administrator has put the artifact into quarantine: nobody gets its bytes."""

    code = "artifact-quarantined"
    kind = Kind.FORBIDDEN


class ArtifactKept(Refusal):
    """Something keeps the artifact, and keep always wins: nobody removes it while that is so."""

    code = "artifact-kept"
    kind = Kind.CONFLICT


class NameImmutable(Refusal):
    """The name can never be overwritten, used again or yanked: a rule says so."""

    code = "name-immutable"
    kind = Kind.CONFLICT
