"""Every refusal of `pull`, `verify` and `trust`."""

from kernel.errors import Kind, Refusal


class TrustRootNotPinned(Refusal):
    """No trust root was pinned for this store beforehand, and none was given."""

    code = "trust-root-not-pinned"
    kind = Kind.MALFORMED


class TrustRootChanged(Refusal):
    """The store serves another trust root than the one that is pinned."""

    code = "trust-root-changed"
    kind = Kind.CONFLICT


class TrustRootMismatch(Refusal):
    """The trust root has another digest than the one that was named."""

    code = "trust-root-mismatch"
    kind = Kind.CONFLICT


class MalformedTrustRoot(Refusal):
    """This is no Sigstore trust root that can be used."""

    code = "malformed-trust-root"
    kind = Kind.INVALID


class ExpectationMissing(Refusal):
    """Nothing was said or pinned about which source and builder are acceptable."""

    code = "expectation-missing"
    kind = Kind.MALFORMED


class ExpectationsChanged(Refusal):
    """The store serves other expectations of the project than those that are pinned."""

    code = "expectations-changed"
    kind = Kind.CONFLICT


class VerificationFailed(Refusal):
    """No attestation shows that these bytes are what is expected; no file was written."""

    code = "verification-failed"
    kind = Kind.FORBIDDEN


class DownloadDiffers(Refusal):
    """The bytes that arrived are not those that the store announced; no file was written."""

    code = "download-differs"
    kind = Kind.CONFLICT


class FileExists(Refusal):
    """There is a file of this name with other bytes already; it was left as it is."""

    code = "file-exists"
    kind = Kind.CONFLICT


class NothingOffered(Refusal):
    """The project has no published artifact like this, or none that this token may read."""

    code = "nothing-offered"
    kind = Kind.NOT_FOUND
