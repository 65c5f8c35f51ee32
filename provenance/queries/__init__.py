"""What provenance can be asked, named after what it returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Max, Min, Q

from kernel.digest import Sha256
from kernel.rows import Joined
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
    LogLeaf,
    LogTree,
    RequestState,
    SealedKey,
    SignerGeneration,
    StoredDecision,
    StoredPolicy,
    StoredTrustMap,
    StoredTrustRoot,
    TreeKind,
    TrustState,
)

# The key of the store's own identity issuer, as the attestor; the verifier will have another.
ATTESTOR_IDENTITY: Final = "attestor-identity"
NEXT_ATTESTOR_IDENTITY: Final = "attestor-identity-2"

# SQL for callers who ask of many subjects at once: whether an attestation of one of these predicate
# types (a parameter, a list) speaks of the digest, in the build of the project that are named.
HAS_PREDICATE: Final = """EXISTS (SELECT FROM attestation_subject AS said
    JOIN attestation ON attestation.id = said.attestation_id
    WHERE said.project_id = {project} AND said.build_id = {build} AND said.sha256 = {sha256}
        AND attestation.predicate_type = ANY(%s::text[]))"""

# The same, of the first attestation that was kept about a file; null where there is none.
FIRST_ATTESTATION: Final = """(SELECT said.attestation_id FROM attestation_subject AS said
    WHERE said.project_id = {project} AND said.build_id = {build} AND said.sha256 = {sha256}
        AND said.name = {name} ORDER BY said.id LIMIT 1)"""


_ABOUT: Final = Joined(
    """
    SELECT {attestation} FROM attestation WHERE id IN (
        SELECT attestation_id FROM attestation_subject
        WHERE build_id = %(build)s AND project_id = %(project)s AND sha256 = %(sha256)s
    ) ORDER BY recorded_at, id
    """,
    attestation=Attestation,
)


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """Where the attestation of a group of files stands, for people who wait.

    `facts` are what was witnessed of the job that brought them; None without CI identity.
    """

    state: str
    attempts: int
    next_attempt_at: datetime
    last_error: dict[str, object] | None
    confirmation: str
    facts: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Requests that wait for the same reason; an empty one is that nobody has tried yet."""

    reason: str
    requests: int
    most_attempts: int
    next_attempt_at: datetime


def attestations_of(*, scope: Scope, build: UUID, digest: Sha256) -> list[Attestation]:
    """Every attestation about these bytes in this build of this scope, oldest first.

    What another build or scope holds about the same bytes is not evidence here, and is not even
    read: a file that a thousand builds share is verified against its own build's statements.
    """
    rows = _ABOUT.all(project=scope.project, build=build, sha256=digest.hex)
    return [row.the(Attestation) for row in rows]


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
        replace(_status(one), confirmation=ConfirmationOutcome.CONFIRMED)
        if one.pk in confirmed_later
        else _status(one)
        for one in requests.order_by("requested_at", "id")
    ]


@dataclass(frozen=True, slots=True)
class WaitingRequest:
    """A request that waits, with what it is for; a removal is for no build."""

    request: UUID
    project: UUID
    build: UUID | None
    requested_at: datetime
    status: RequestStatus


@dataclass(frozen=True, slots=True)
class WaitingReason:
    """Why so many requests wait; None where nothing has failed yet."""

    last_error: str | None
    service: str | None
    reason: str | None
    count: int
    next_attempt_at: datetime


def waiting_requests(*, size: int) -> list[WaitingRequest]:
    """The first requests of the signing queue, those that have waited longest."""
    waiting = AttestationRequest.objects.filter(state=RequestState.PENDING)
    return [
        WaitingRequest(one.pk, one.project_id, one.build_id, one.requested_at, _status(one))
        for one in waiting.defer("statement", "facts").order_by("requested_at", "id")[:size]
    ]


def waiting_reasons() -> list[WaitingReason]:
    """The whole signing queue by what keeps it waiting, the most frequent first."""
    waiting = AttestationRequest.objects.filter(state=RequestState.PENDING)
    why = ("last_error__code", "last_error__service", "last_error__reason")
    counted = waiting.values(*why).annotate(
        count=Count("id"), next_attempt_at=Min("next_attempt_at")
    )
    return [
        WaitingReason(
            last_error=row["last_error__code"],
            service=row["last_error__service"],
            reason=row["last_error__reason"],
            count=row["count"],
            next_attempt_at=row["next_attempt_at"],
        )
        for row in counted.order_by("-count", *why)
    ]


def waiting_for(reason: WaitingReason, *, most: int) -> list[UUID]:
    """Requests that wait for this reason, as `waiting_reasons` counts them; the oldest first."""
    same = {
        "last_error__code": reason.last_error,
        "last_error__service": reason.service,
        "last_error__reason": reason.reason,
    }
    equal = {name: value for name, value in same.items() if value is not None}
    absent = {f"{name}__isnull": True for name, value in same.items() if value is None}
    waiting = AttestationRequest.objects.filter(state=RequestState.PENDING, **equal, **absent)
    return list(waiting.order_by("requested_at", "id").values_list("pk", flat=True)[:most])


def _status(request: AttestationRequest) -> RequestStatus:
    return RequestStatus(
        request.state,
        request.attempts,
        request.next_attempt_at,
        request.last_error,
        request.confirmation,
        request.facts,
    )


def current_policy(*, scope: Scope) -> VerificationPolicy:
    """The newest version of the project's policy, or the default one."""
    newest = StoredPolicy.objects.filter(project_id=scope.project).order_by("-version")
    return read_policy(newest.first())


def read_policy(stored: StoredPolicy | None) -> VerificationPolicy:
    """A stored version as the rules take it; where none was ever set, the default one."""
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
    stored = StoredTrustMap.objects.get(version=version) if version else None
    return read_trust_map(stored, key_is_shared=key_is_shared)


def read_trust_map(stored: StoredTrustMap | None, *, key_is_shared: bool) -> TrustMap:
    """A stored version as the rules take it; where there is none, the one that grants nothing."""
    if stored is None:
        return TrustMap(0, {}, key_is_shared)
    return TrustMap(
        stored.version,
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
    return list(LogTree.objects.order_by("generation_id", "name"))


@dataclass(frozen=True, slots=True)
class GenerationStatus:
    """A generation of the embedded signer's keys; what it signed is what its log holds."""

    number: int
    is_announced: bool
    is_used: bool
    believed_from: datetime
    believed_until: datetime | None
    statements: int


def signer_generations() -> list[GenerationStatus]:
    """Every generation of the embedded signer's keys, oldest first."""
    logs = {log.generation_id: log for log in LogTree.objects.filter(kind=TreeKind.STATEMENTS)}
    return [
        GenerationStatus(
            number=one.number,
            is_announced=one.number not in logs,
            is_used=one.number in logs and logs[one.number].retired_at is None,
            believed_from=one.believed_from,
            believed_until=one.believed_until,
            statements=logs[one.number].size if one.number in logs else 0,
        )
        for one in SignerGeneration.objects.order_by("number")
    ]


def statements_not_believed(*, generation: int) -> int:
    """How many statements a generation has logged before it was believed or after its end."""
    one = SignerGeneration.objects.filter(pk=generation).first()
    if one is None or one.believed_until is None:
        return 0
    logged = LogLeaf.objects.filter(tree__generation=generation, tree__kind=TreeKind.STATEMENTS)
    if one.believed_until < one.believed_from:
        return logged.count()
    # The second of the end belongs to the window.
    return logged.filter(appended_at__gte=one.believed_until + timedelta(seconds=1)).count()


def oldest_pending_age(*, now: datetime) -> timedelta:
    """How long the oldest request for an attestation has been waiting; zero when none does.

    Second statements and removals do not count: no build waits for them.
    """
    of_builds = Q(confirms=None, build_id__isnull=False)
    return _oldest_age(of_builds, now=now)


def oldest_removal_age(*, now: datetime) -> timedelta:
    """How long the oldest removal has been waiting for its statement; zero when none does."""
    return _oldest_age(Q(build_id=None), now=now)


def _oldest_age(wanted: Q, *, now: datetime) -> timedelta:
    pending = AttestationRequest.objects.filter(wanted, state=RequestState.PENDING)
    oldest = pending.aggregate(oldest=Min("requested_at"))["oldest"]
    return max(now - oldest, timedelta(0)) if oldest is not None else timedelta(0)


def waiting_by_reason() -> list[Waiting]:
    """What waits for its statement, by the code of its last failure; the most frequent first."""
    pending = AttestationRequest.objects.filter(state=RequestState.PENDING)
    grouped = pending.values("last_error__code").annotate(
        requests=Count("id"), attempts=Max("attempts"), next_at=Min("next_attempt_at")
    )
    return [
        Waiting(one["last_error__code"] or "", one["requests"], one["attempts"], one["next_at"])
        for one in grouped.order_by("-requests", "last_error__code")
    ]


def decisions_denied(*, limit: int) -> list[StoredDecision]:
    """The decisions that turned an artifact down, newest first, without their reports."""
    denied = StoredDecision.objects.filter(allowed=False).defer("report")
    return list(denied.order_by("-decided_at", "key")[:limit])


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
