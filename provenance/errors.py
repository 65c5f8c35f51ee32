"""Every refusal that provenance can give outside its domain modules."""

from kernel.errors import Kind, Refusal


class SignerUnavailable(Refusal):
    """The signer cannot be used now; the request stays and is tried again."""

    code = "signer-unavailable"
    kind = Kind.UNAVAILABLE


class SignerRefused(Refusal):
    """The signer answered, but not with a bundle that says what was asked."""

    code = "signer-refused"
    kind = Kind.INVALID


class RotationRefused(Refusal):
    """The signer's keys cannot be changed in this way now."""

    code = "rotation-refused"
    kind = Kind.CONFLICT


class JobContradicted(Refusal):
    """The platform's API describes this job otherwise than its identity token does."""

    code = "job-contradicted"
    kind = Kind.INVALID


class JobUnknown(Refusal):
    """The platform's API shows the repository, and has no such job in it."""

    code = "job-unknown"
    kind = Kind.INVALID


class PlatformUnavailable(Refusal):
    """The platform's API cannot be asked about the job now; it is asked again."""

    code = "platform-unavailable"
    kind = Kind.UNAVAILABLE


class LevelNotAllowed(Refusal):
    """A builder cannot be granted this level."""

    code = "level-not-allowed"
    kind = Kind.INVALID


class TrustRootMissing(Refusal):
    """No trust root has been published yet, so nothing can be verified."""

    code = "trust-root-missing"
    kind = Kind.UNAVAILABLE


class PolicyNotMet(Refusal):
    """The artifact's attestations do not satisfy the project's verification policy."""

    code = "policy-not-met"
    kind = Kind.FORBIDDEN


class NoSuchPage(Refusal):
    """This store has no builder, buildType or trust root of that name."""

    code = "no-such-page"
    kind = Kind.NOT_FOUND


class NoSuchTree(Refusal):
    """The embedded log has no tree of that name, or has not signed a checkpoint of it yet."""

    code = "no-such-tree"
    kind = Kind.NOT_FOUND


class NoSuchTreeSize(Refusal):
    """The tree has not had these sizes, in this order."""

    code = "no-such-tree-size"
    kind = Kind.INVALID


class EvidenceEnded(Refusal):
    """The attestation's bundle is not kept any more: what it is about has long been gone."""

    code = "evidence-ended"
    kind = Kind.GONE


class EvidenceNotSaved(Refusal):
    """Evidence could not be saved to the folder that was named, so that none of it was ended."""

    code = "evidence-not-saved"
    kind = Kind.UNAVAILABLE
