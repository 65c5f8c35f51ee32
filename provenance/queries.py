"""What provenance can be asked, named after what it returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Max, Min

from kernel.digest import Sha256
from provenance.domain.build_facts import Platform
from provenance.domain.builders import Level
from provenance.domain.policy import Enforcement, Source, TrustMap, VerificationPolicy
from provenance.domain.scope import Scope
from provenance.domain.signing_keys import SigningKey
from provenance.domain.transparency import Transparency
from provenance.domain.trust_document import read_trust_document
from provenance.errors import TrustRootMissing
from provenance.models import (
    Attestation,
    AttestationRequest,
    ConfirmationOutcome,
    LogTree,
    RequestState,
    SealedKey,
    StoredPolicy,
    StoredTrustMap,
    StoredTrustRoot,
    TrustState,
)

# The key of the store's own identity issuer, as the attestor; the verifier will have another.
ATTESTOR_IDENTITY: Final = "attestor-identity"
NEXT_ATTESTOR_IDENTITY: Final = "attestor-identity-2"


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """Where a build's attestation stands, for people who wait."""

    state: str
    attempts: int
    next_attempt_at: datetime
    last_error: dict[str, object] | None
    confirmation: str


def attestations_of(*, scope: Scope, build: UUID, digest: Sha256) -> list[Attestation]:
    """Every attestation about these bytes in this build of this scope, oldest first.

    What another build or scope holds about the same bytes is not evidence here, and is not even
    read: a file that a thousand builds share is verified against its own build's statements.
    """
    found = Attestation.objects.filter(
        subjects__project_id=scope.project,
        subjects__sha256=digest.hex,
        subjects__build_id=build,
    )
    return list(found.distinct().order_by("recorded_at", "id"))


def attestation(*, scope: Scope, build: UUID, digest: Sha256, identity: UUID) -> Attestation | None:
    """One of `attestations_of` by its id."""
    found = attestations_of(scope=scope, build=build, digest=digest)
    return next((one for one in found if one.pk == identity), None)


def request_statuses(*, build: UUID) -> list[RequestStatus]:
    """The build's requests, oldest first; not those for a second statement: nobody waits for one.

    A job that was confirmed later counts as confirmed.
    """
    requests = AttestationRequest.objects.filter(build_id=build, confirms=None)
    later = requests.filter(attestationrequest__state=RequestState.ATTESTED)
    confirmed_later = set(later.values_list("pk", flat=True))
    return [
        RequestStatus(
            one.state,
            one.attempts,
            one.next_attempt_at,
            one.last_error,
            ConfirmationOutcome.CONFIRMED if one.pk in confirmed_later else one.confirmation,
        )
        for one in requests.order_by("requested_at", "id")
    ]


def current_policy(*, scope: Scope) -> VerificationPolicy:
    """The newest version of the project's policy, or the default one."""
    stored = StoredPolicy.objects.filter(project_id=scope.project).order_by("-version").first()
    if stored is None:
        return VerificationPolicy()
    document = stored.document
    return VerificationPolicy(
        version=stored.version,
        enforcement=Enforcement(document["enforcement"]),
        sources=tuple(Source(**source) for source in document["sources"]),
        accepts_release=document["accepts_release"],
    )


def trust_state() -> TrustState:
    """The current versions; all zero before anything was published."""
    return TrustState.objects.filter(pk=1).first() or TrustState()


def trust_map(*, version: int, key_is_shared: bool) -> TrustMap:
    """One version of the trust map; version 0 grants nothing."""
    if version == 0:
        return TrustMap(0, {}, key_is_shared)
    stored = StoredTrustMap.objects.get(version=version)
    return TrustMap(
        version,
        {who: Level(level) for who, level in stored.levels.items()},
        key_is_shared,
        {name: Platform(platform) for name, platform in stored.platforms.items()},
    )


def trust_root(*, version: int) -> bytes:
    """One version of the trust root, as the exact bytes that were published.

    Raises:
        TrustRootMissing: there is no such version.
    """
    stored = StoredTrustRoot.objects.filter(version=version).first()
    if stored is None:
        raise TrustRootMissing(version=version)
    return bytes(stored.document)


def signing_keys(*, version: int) -> tuple[SigningKey, ...]:
    """The managed signing keys that a version of the trust root lists, revoked ones included.

    Raises:
        TrustRootMissing: there is no such version.
    """
    return read_trust_document(trust_root(version=version)).signing_keys


def trust_root_history() -> Sequence[StoredTrustRoot]:
    """Every version that was ever published, oldest first."""
    return list(StoredTrustRoot.objects.order_by("version"))


def log_trees() -> Sequence[LogTree]:
    """The embedded logs' trees, oldest first."""
    return list(LogTree.objects.order_by("started_at", "name"))


def oldest_pending_age(*, now: datetime) -> timedelta:
    """How long the oldest request for an attestation has been waiting; zero when none does.

    Second statements do not count: no build waits for them.
    """
    pending = AttestationRequest.objects.filter(state=RequestState.PENDING, confirms=None)
    oldest = pending.aggregate(oldest=Min("requested_at"))["oldest"]
    return max(now - oldest, timedelta(0)) if oldest is not None else timedelta(0)


def public_signing_until(*, project: UUID, now: datetime) -> datetime | None:
    """Until when a worker may be writing statements of a project into a public log, if one may."""
    under_way = AttestationRequest.objects.filter(
        project_id=project,
        state=RequestState.PENDING,
        transparency=Transparency.PUBLIC_LOG,
        leased_until__gt=now,
    )
    until: datetime | None = under_way.aggregate(until=Max("leased_until"))["until"]
    return until


def identity_keys() -> list[bytes]:
    """The public keys of the store's own identity issuer (DER, SPKI).

    The one that is in use, then the one that will be, if one has been announced.
    """
    names = (ATTESTOR_IDENTITY, NEXT_ATTESTOR_IDENTITY)
    found = SealedKey.objects.filter(name__in=names).values_list("name", "public")
    rows = {name: bytes(public) for name, public in found}
    return [rows[name] for name in names if name in rows]
