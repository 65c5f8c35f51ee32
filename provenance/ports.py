"""What provenance needs from outside: who signs, who verifies, and who knows the job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from provenance.domain.build_facts import Witnessed
from provenance.domain.confirmation import Confirmation
from provenance.domain.evidence import Verification
from provenance.domain.signing_keys import SigningKey
from provenance.domain.transparency import DEFAULT, Transparency
from provenance.errors import (
    JobContradicted,
    JobUnknown,
    PlatformUnavailable,
    SignerRefused,
    SignerUnavailable,
)


@dataclass(frozen=True, slots=True)
class SigningJob:
    """One statement to sign.

    `identity` becomes the certificate's SAN and Build Signer URI; a managed key has no place for
    it, and must be one that is listed to speak for it. `claims` are the other
    Fulcio extensions by their OID suffix under 1.3.6.1.4.1.57264.1 (for example
    {12: source repository URI}); empty values are left out. `transparency` is where it may be
    recorded, and nowhere else.
    """

    statement: bytes
    identity: str
    claims: Mapping[int, str]
    transparency: Transparency = DEFAULT


@dataclass(frozen=True, slots=True)
class Signed:
    """A Sigstore bundle v0.3 as exact JSON bytes; not yet verified by us."""

    bundle: bytes


class Signer(Protocol):
    """Signs statements as the store's attestor."""

    @property
    def name(self) -> str:
        """A short label for logs and metrics, for example `embedded`."""
        ...

    @property
    def batches_at_once(self) -> int:
        """How many batches one process may give it at once with profit: 1 unless it waits a lot."""
        ...

    def sign(self, jobs: Sequence[SigningJob]) -> list[Signed | SignerRefused | SignerUnavailable]:
        """Sign a batch; answers come in the order of the jobs, one for each.

        Signing twice is harmless: a log may then hold two entries of which one counts.

        Raises:
            SignerUnavailable: nothing of the batch could be signed.
        """
        ...


class Disclosure(Protocol):
    """Knows what the signer that writes into public logs would have written."""

    def disclose(self, job: SigningJob, *, now: datetime) -> Mapping[str, Any]:
        """Everything that would become public by signing the job, as JSON, part by part.

        Made by the code that signs; nothing is sent. What is random is named, not shown.

        Raises:
            SignerUnavailable: the signer is not configured as it should be.
            SignerRefused: the job cannot be signed.
        """
        ...


class RunConfirmation(Protocol):
    """Asks the platforms' APIs about jobs, each issuer's own and no other."""

    @property
    def issuers(self) -> frozenset[str]:
        """The names of the issuers whose platform an administrator said to ask."""
        ...

    def ask(
        self, facts: Witnessed, *, sealed_at: datetime, now: datetime
    ) -> Confirmation | JobContradicted | JobUnknown | PlatformUnavailable:
        """Ask about this very job, and whether it was in progress when its build was sealed.

        Never raises. "No such job" is said only by an API that shows the job's repository: what
        one may not see is not known to be absent. Asking again is harmless.
        """
        ...


class BundleVerifier(Protocol):
    """Verifies a Sigstore bundle offline, against one trust root."""

    def verify(self, unverified_bundle: bytes, *, trust_root: bytes) -> Verification:
        """Run every step on the bundle, in order, and stop at the first that fails.

        Never raises for a bad bundle: the answer's failed step says why. `trust_root` is a
        document of provenance.domain.trust_document: a Sigstore TrustedRoot, or one with signing
        keys. It checks cryptography only (signature, chain or key, SCT, log, time); what the
        payload says is examined by provenance.domain.evidence.
        """
        ...


class TransparencyLog(Protocol):
    """What anybody may ask of a log that this store keeps itself."""

    def checkpoint(self, tree: str) -> str:
        """The newest signed checkpoint of a tree, as it was signed.

        Raises:
            NoSuchTree: there is no such tree, or nothing in it was signed yet.
        """
        ...

    def consistency_proof(self, tree: str, first: int, second: int) -> list[bytes]:
        """The hashes that prove the tree of `second` leaves to begin with that of `first`.

        Raises:
            NoSuchTree: there is no such tree.
            NoSuchTreeSize: `first` is above `second`, or `second` above the tree's size.
        """
        ...


class IdentityKeys(Protocol):
    """The keys of the store's own identity issuer; both methods join a transaction."""

    def announce(self, *, now: datetime) -> None:
        """Create the next key unless there is one; the issuer's documents show it at once.

        Raises:
            SignerUnavailable: there is no key yet, or the key-encryption key is another one.
        """
        ...

    def adopt(self, *, now: datetime) -> None:
        """Use the next key from the next batch on, and forget the one that was used.

        Raises:
            SignerUnavailable: none was announced, or too short a time ago for everybody to know
                it; or the key-encryption key is another one.
        """
        ...


class SignerGenerations(Protocol):
    """The embedded signer's sets of keys, one after the other; all methods join a transaction.

    Beside what is said below, those that make or use keys raise SignerUnavailable where the
    key-encryption key is missing, unreadable or another one.
    """

    def announce(self, *, believed_from: datetime, now: datetime) -> datetime:
        """Make the next keys unless there are some; since when they are believed."""
        ...

    def adopt(self, *, now: datetime) -> int:
        """Sign with the announced keys from the next batch on; their generation's number.

        The ones before are believed for everything that they have signed.

        Raises:
            RotationRefused: none were announced, or they are not believed yet.
        """
        ...

    def end(self, *, generation: int, until: datetime, now: datetime) -> None:
        """Believe a generation until then and never longer than before.

        An announced one is withdrawn. In the place of the one that is used another starts at once.

        Raises:
            RotationRefused: there is no such generation, or `until` is to come.
        """
        ...

    def trusted_root(self) -> bytes:
        """The Sigstore TrustedRoot of these generations alone, as JSON; an empty one of none."""
        ...


class SealedKeys(Protocol):
    """The private keys in this store's rows, and two key-encryption keys; joins a transaction."""

    def reseal(self) -> int:
        """Seal each under the new key-encryption key, and say how many lay under the old one.

        Raises:
            SignerUnavailable: one lies under neither, or is not the key whose public half stands
                beside it.
        """
        ...


class SignerKeys(Protocol):
    """The long-lived keys of a signer that keeps its own, and what verifies with them."""

    def create(self, *, now: datetime) -> None:
        """Create the keys that are missing; several processes at once make one set.

        Raises:
            SignerUnavailable: the key-encryption key is missing, unreadable or another one.
        """
        ...

    def signing_key(self, *, now: datetime) -> SigningKey | None:
        """The managed key that statements are signed with; None where certificates are used.

        Raises:
            SignerUnavailable: whoever holds the key cannot be asked for its public half.
        """
        ...

    def trusted_root(self) -> bytes:
        """The Sigstore TrustedRoot of all keys, retired ones included, as JSON.

        Raises:
            TrustRootMissing: no keys have been created yet.
        """
        ...


class EvidenceCopy(Protocol):
    """Keeps what is about to end, outside of the store; the same again is harmless."""

    def save(self, bundle: bytes) -> str:
        """Keep one bundle under its digest; the name under which it can be found.

        Raises:
            EvidenceNotSaved: it could not be written.
        """
        ...

    def finish(self, manifest: bytes) -> None:
        """Keep the list of what was saved before it; when this returns, all of it is durable.

        Raises:
            EvidenceNotSaved: it could not be written.
        """
        ...
