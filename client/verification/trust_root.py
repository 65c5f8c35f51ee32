"""Two trust roots compared for a person: which keys came, which went, which ended. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from client.verification.errors import MalformedTrustRoot
from provenance.adapters.trusted_keys import TrustedKey, UnusableTrustRoot, trusted_keys

_SHOWN = 16


def keys_of(trust_root: bytes) -> tuple[TrustedKey, ...]:
    """What the trust root holds.

    Raises:
        MalformedTrustRoot: nothing can be verified with it.
    """
    try:
        return trusted_keys(trust_root)
    except UnusableTrustRoot as error:
        raise MalformedTrustRoot(reason=str(error)) from error


def summary(keys: Sequence[TrustedKey]) -> list[str]:
    """One line a key."""
    return [_line(" ", key) for key in keys]


def differences(old: Sequence[TrustedKey], new: Sequence[TrustedKey]) -> list[str]:
    """What changed, one line each: `+` came, `-` went, `~` is valid for another time now."""
    before = {_identity(key): key for key in old}
    after = {_identity(key): key for key in new}
    came = [_line("+", key) for identity, key in after.items() if identity not in before]
    went = [_line("-", key) for identity, key in before.items() if identity not in after]
    changed = [
        f"{_line('~', key)} (was {_window(before[identity])})"
        for identity, key in after.items()
        if identity in before and before[identity] != key
    ]
    return [*went, *changed, *came]


def only_adds(old: Sequence[TrustedKey], new: Sequence[TrustedKey]) -> bool:
    """Whether everything that was trusted still is, for the same time or with an end now.

    This is what an ordinary rotation looks like. It proves nothing: a stranger's key that was
    added to the real ones looks the same.
    """
    after = {_identity(key): key for key in new}
    kept = [(key, after.get(_identity(key))) for key in old]
    return all(
        found is not None and found in (key, replace(key, until=found.until or key.until))
        for key, found in kept
    )


def _identity(key: TrustedKey) -> tuple[str, str]:
    return key.kind, key.sha256


def _line(sign: str, key: TrustedKey) -> str:
    return f"{sign} {key.kind} {key.sha256[:_SHOWN]} {key.address}, {_window(key)}"


def _window(key: TrustedKey) -> str:
    return f"{key.since} to {key.until}" if key.until else f"since {key.since}"
