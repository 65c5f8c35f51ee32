"""Publish a trust root: a new version that verifies everything from the next answer on."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kernel import faults
from kernel.actor import Actor
from kernel.audit.record import record
from kernel.connections import joins_transaction
from provenance.domain.signing_keys import SigningKey, with_key
from provenance.domain.trust_document import (
    TrustDocument,
    empty_trusted_root,
    read_trust_document,
    spliced_root,
)
from provenance.models import StoredTrustRoot, TrustState
from provenance.ports import SignerGenerations
from provenance.queries import signer_generations

ChangeKeys = Callable[[Sequence[SigningKey]], tuple[SigningKey, ...]]


@dataclass(frozen=True, slots=True)
class KeysChanged:
    """The trust root's version, and which keys there were and are, for the audit trail."""

    version: int
    before: dict[str, Any]
    after: dict[str, Any]


def publish_trust_root(*, document: bytes, actor: Actor, now: datetime) -> int:
    """Keep the document as the newest version and say its number. Joins.

    Publishing what is current already changes nothing. A rotation publishes the root with both
    keys first, and signs with the new one afterwards.
    """
    return _publish(_locked_state(), document, actor=actor, now=now)


def publish_trusted_root(
    *,
    trusted_root: bytes,
    adding: SigningKey | None,
    actor: Actor,
    now: datetime,
    only_over: int | None = None,
) -> int:
    """Publish a Sigstore TrustedRoot beside the signing keys that are listed, and perhaps one more.

    Joins. A key that was ever listed stays so, whoever signs today: its bundles are still served.
    With `only_over`, nothing is published if another version than that is current by now.
    """
    state = _locked_state()
    if only_over not in (None, state.trust_root_version):
        return state.trust_root_version
    keys = _current(state).signing_keys
    if adding is not None:
        keys = with_key(keys, adding)
    return _publish(state, TrustDocument(trusted_root, keys).to_json(), actor=actor, now=now)


def change_signing_keys(*, change: ChangeKeys, actor: Actor, now: datetime) -> KeysChanged:
    """Publish the trust root with its list of signing keys changed. Joins."""
    state = _locked_state()
    current = _current(state)
    changed = replace(current, signing_keys=change(current.signing_keys))
    version = _publish(state, changed.to_json(), actor=actor, now=now)
    return KeysChanged(version, _ends(current.signing_keys), _ends(changed.signing_keys))


def change_generations(
    *, generations: SignerGenerations, change: Callable[[], object], actor: Actor, now: datetime
) -> KeysChanged:
    """Change the embedded signer's keys and publish the trust root with them as they are then.

    Joins. What else is published stays as it is, and nobody else's description is asked for.
    """
    state = _locked_state()
    old, before = generations.trusted_root(), _generations()
    change()
    faults.reach("provenance.keys-changed")
    current = _current(state)
    root = spliced_root(current.trusted_root, old=old, new=generations.trusted_root())
    document = replace(current, trusted_root=root).to_json()
    version = _publish(state, document, actor=actor, now=now)
    return KeysChanged(version, before, _generations())


def _ends(keys: Sequence[SigningKey]) -> dict[str, Any]:
    return {
        one.id: {"until": _moment(one.until), "revoked_at": _moment(one.revoked_at)} for one in keys
    }


def _generations() -> dict[str, Any]:
    return {
        f"generation {one.number}": {
            "is_used": one.is_used,
            "believed_from": _moment(one.believed_from),
            "believed_until": _moment(one.believed_until),
        }
        for one in signer_generations()
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _locked_state() -> TrustState:
    joins_transaction("publish_trust_root")
    TrustState.objects.get_or_create(pk=1)
    return TrustState.objects.select_for_update().get(pk=1)


def _current(state: TrustState) -> TrustDocument:
    """What is published; nothing yet at a store's first start."""
    stored = StoredTrustRoot.objects.filter(version=state.trust_root_version).first()
    if stored is None:
        return TrustDocument(empty_trusted_root())
    return read_trust_document(bytes(stored.document))


def _publish(state: TrustState, document: bytes, *, actor: Actor, now: datetime) -> int:
    current = StoredTrustRoot.objects.filter(version=state.trust_root_version).first()
    if current is not None and bytes(current.document) == document:
        return current.version
    stored = StoredTrustRoot.objects.create(
        version=state.trust_root_version + 1, document=document, published_at=now
    )
    state.trust_root_version = stored.version
    state.save(update_fields=["trust_root_version"])
    record(
        actor,
        "trust-root.publish",
        str(stored.version),
        now=now,
        before=_told(current),
        after=_told(stored),
    )
    return stored.version


def _told(stored: StoredTrustRoot | None) -> dict[str, object]:
    """A trust root in the audit trail: which one, and of which bytes."""
    if stored is None:
        return {"version": None, "sha256": None}
    return {"version": stored.version, "sha256": hashlib.sha256(stored.document).hexdigest()}
