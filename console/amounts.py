"""Amounts of bytes and of files, as people write them in forms. Pure."""

import re
from typing import Final

UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEP: Final = 1024
_MOST: Final = 2**62
_AMOUNT: Final = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,6}))?\s*([A-Za-z]*)")
# What people write for each of UNITS; without a unit it is bytes.
_WRITTEN: Final = {
    name: power
    for power, names in enumerate(
        (("", "b", "byte", "bytes"), ("k", "kib"), ("m", "mib"), ("g", "gib"), ("t", "tib"))
    )
    for name in names
}


class NoAmount(ValueError):
    """It cannot be read; the text says what was expected."""


def read_bytes(text: str) -> int | None:
    """`10 GiB`, `1.5 TiB`, `4096`; nothing is no limit.

    Raises:
        NoAmount: it is none, not a whole number of bytes, or nothing at all.
    """
    if not text.strip():
        return None
    found = _AMOUNT.fullmatch(text.strip())
    power = _WRITTEN.get(found[3].lower()) if found is not None else None
    if found is None or power is None:
        raise NoAmount("a number with a unit of bytes, KiB, MiB, GiB or TiB: 10 GiB")
    decimals = found[2] or ""
    scaled, rest = divmod(int(found[1] + decimals) * _STEP**power, 10 ** len(decimals))
    if rest and power == 0:
        raise NoAmount("a whole number of bytes")
    return _positive(scaled)


def read_count(text: str) -> int | None:
    """`5000000`, `5,000,000` or `5 000 000`; nothing is no limit.

    Raises:
        NoAmount: it is no number, or nothing at all.
    """
    digits = re.sub(r"[,_\s]", "", text)
    if not digits:
        return None
    if not digits.isascii() or not digits.isdecimal():
        raise NoAmount("a whole number: 5000000")
    return _positive(int(digits[:20]))


def exactly(size_bytes: int | None) -> str:
    """In the largest unit that loses nothing, as `read_bytes` reads it; empty for no limit."""
    if size_bytes is None:
        return ""
    power = 0
    while power < len(UNITS) - 1 and size_bytes and size_bytes % _STEP == 0:
        size_bytes, power = size_bytes // _STEP, power + 1
    return f"{size_bytes} {UNITS[power]}"


def _positive(amount: int) -> int:
    if not 0 < amount <= _MOST:
        raise NoAmount("more than nothing, and at most 4194304 TiB")
    return amount
