"""The signer `key`: one long-lived key, with timestamps and log entries where there are services.

The key signs one statement after the other: whoever holds it may allow no more at once. Timestamps
and log entries are then fetched side by side.
"""

import base64
import json
import logging
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sigstore import dsse
from sigstore.errors import Error as SigstoreError

from provenance.adapters.key_log_entries import proposal
from provenance.adapters.managed_key.holders import KeyHolder
from provenance.adapters.managed_key.opened_key import OpenedKey
from provenance.adapters.signing_algorithms import PREHASH
from provenance.adapters.sigstore_instance.breaker import Breaker
from provenance.adapters.sigstore_instance.clients import (
    InstanceRekor,
    InstanceTimestamps,
    Service,
)
from provenance.adapters.sigstore_instance.line import Limits, Line
from provenance.domain.signing_keys import Demand, SigningKey, attestor_scope
from provenance.domain.statement import PAYLOAD_TYPE
from provenance.domain.transparency import DEFAULT, Transparency, require_place
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.ports import Signed, SigningJob

logger = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
THREADS: Final = 32

Answer = Signed | SignerRefused | SignerUnavailable


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Who vouches for when it was signed, and that it was: addresses of services, or nobody."""

    timestamps: tuple[str, ...] = ()
    log: str | None = None

    @property
    def demands(self) -> frozenset[Demand]:
        """What every bundle of a key that is signed with them has, and so must have."""
        demands = {Demand.TIMESTAMP} if self.timestamps else set()
        return frozenset(demands | ({Demand.LOG} if self.log else set()))

    @property
    def transparencies(self) -> frozenset[Transparency]:
        """Where its bundles are recorded: privately, and with timestamps alone in no log at all.

        A log that there is stands among the demands, so that it can be left out for nobody.
        """
        is_without_log = Demand.TIMESTAMP in self.demands and Demand.LOG not in self.demands
        return frozenset({DEFAULT, *([Transparency.TIMESTAMP_ONLY] if is_without_log else [])})


def listed_key(
    opened: OpenedKey, witnesses: Witnesses, *, base_url: str, now: datetime
) -> SigningKey:
    """The key as the trust root is to list it: the attestor's, from now on.

    Raises:
        SignerUnavailable: a log is configured that cannot take this kind of key.
    """
    if witnesses.log and opened.algorithm not in PREHASH:
        raise SignerUnavailable(
            reason="key-cannot-be-logged",
            found=opened.algorithm.value,
            expected="an ECDSA or RSA key, or no STRONGROOM_KEY_LOG",
        )
    return SigningKey(
        spki=opened.spki,
        algorithm=opened.algorithm,
        issuer=base_url,
        speaks_for=attestor_scope(base_url=base_url),
        demands=witnesses.demands,
        since=now.replace(microsecond=0),
    )


class KeySigner:
    """Signs with the key that a URI names. Call it outside of any transaction.

    The identity and the claims of a job stand in its statement alone: a key has no place for
    them. That the key may speak for the identity is looked up in the trust root when the worker
    verifies the bundle.
    """

    name = "key"
    batches_at_once = 1  # whoever holds the key may allow no more

    def __init__(
        self,
        *,
        holder: KeyHolder,
        witnesses: Witnesses,
        base_url: str,
        clock: Callable[[], datetime],
        limits: Limits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._holder = holder
        self._witnesses = witnesses
        self._base_url = base_url
        self._clock = clock
        self._limits = limits or Limits()
        self._tls = ssl.create_default_context()
        self._breakers = {name: Breaker(name, clock=monotonic) for name in ("key", "rekor", "tsa")}

    def sign(self, jobs: Sequence[SigningJob]) -> list[Answer]:
        """Sign one after the other, then have all of it witnessed; end before the lease does."""
        if not jobs:
            return []
        opened = self._guarded(self._holder.open)
        listed = listed_key(opened, self._witnesses, base_url=self._base_url, now=self._clock())
        drafts = [self._draft(job, opened, listed) for job in jobs]
        if not self._witnesses.demands:
            return [draft.signed() if isinstance(draft, _Draft) else draft for draft in drafts]
        answers = self._witnessed(drafts)
        unavailable = [answer for answer in answers if isinstance(answer, SignerUnavailable)]
        if len(unavailable) == len(answers):
            raise unavailable[0]
        return answers

    def _draft(
        self, job: SigningJob, opened: OpenedKey, listed: SigningKey
    ) -> "_Draft | SignerRefused":
        """A signature; a holder that fails once fails for the whole batch.

        Raises:
            SignerUnavailable: the key cannot be used now.
        """
        try:
            require_place(job.transparency, declared=self._witnesses.transparencies)
            statement = dsse.Statement(job.statement)
        except SignerRefused as refusal:
            return refusal
        except SigstoreError as error:
            return SignerRefused(reason="not-signable", found=str(error)[:300])
        if not listed.may_speak_for(job.identity):
            return SignerRefused(
                reason="key-speaks-for-others",
                expected=", ".join(listed.speaks_for),
                found=job.identity,
            )
        signature = self._guarded(lambda: opened.sign(statement._pae()))  # noqa: SLF001 - what DSSE signs
        return _Draft(job.statement, signature, listed)

    def _guarded(self, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - what it asks for
        breaker = self._breakers["key"]
        breaker.check()
        try:
            answer = ask()
        except SignerUnavailable as refusal:
            breaker.failed(refusal)
            raise
        breaker.succeeded()
        return answer

    def _witnessed(self, drafts: Sequence["_Draft | SignerRefused"]) -> list[Answer]:
        line = Line(self._limits, self._tls)
        hang_up = threading.Timer(self._limits.batch_seconds, line.hang_up)
        hang_up.daemon = True
        hang_up.start()
        try:
            with ThreadPoolExecutor(
                min(THREADS, len(drafts)), thread_name_prefix="key-signer"
            ) as pool:
                return list(pool.map(lambda draft: self._finish(draft, line), drafts))
        finally:
            hang_up.cancel()

    def _finish(self, draft: "_Draft | SignerRefused", line: Line) -> Answer:
        """Have one signature witnessed, in a thread that touches no database."""
        if isinstance(draft, SignerRefused):
            return draft
        try:
            for url in self._witnesses.timestamps:
                authority = InstanceTimestamps(Service(line, self._breakers["tsa"], url))
                draft.timestamps.append(authority.request_timestamp(draft.signature).as_bytes())
            if self._witnesses.log:
                url = f"{self._witnesses.log}/api/v2/log/entries"
                log = InstanceRekor(Service(line, self._breakers["rekor"], url))
                entry = log.create_entry(proposal(draft.envelope, draft.key))  # type: ignore[arg-type]  # JSON, as it is
                draft.entries.append(entry._inner.to_dict())  # noqa: SLF001 - the model that it wraps
            return draft.signed()
        except (SignerRefused, SignerUnavailable) as refusal:
            return refusal
        except Exception as error:  # one job's surprise must not take the others with it
            logger.exception("key signer failed", extra={"key": draft.key.id})
            return SignerUnavailable(reason="unexpected-error", found=repr(error)[:300])


@dataclass(slots=True)
class _Draft:
    """A signature over a statement, and who has witnessed it so far."""

    statement: bytes
    signature: bytes
    key: SigningKey
    timestamps: list[bytes] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)

    @property
    def envelope(self) -> dsse.Envelope:
        return dsse.Envelope._from_json(json.dumps(self._envelope))  # noqa: SLF001 - sigstore gives no other way

    @property
    def _envelope(self) -> dict[str, Any]:
        return {
            "payload": _base64(self.statement),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": _base64(self.signature)}],
        }

    def signed(self) -> Signed:
        """The bundle (v0.3), whose key is named as cosign names it."""
        material: dict[str, Any] = {
            "publicKey": {"hint": self.key.hint},
            "tlogEntries": self.entries,
        }
        if self.timestamps:
            answers = [{"signedTimestamp": _base64(answer)} for answer in self.timestamps]
            material["timestampVerificationData"] = {"rfc3161Timestamps": answers}
        document = {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": material,
            "dsseEnvelope": self._envelope,
        }
        return Signed(json.dumps(document).encode())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
