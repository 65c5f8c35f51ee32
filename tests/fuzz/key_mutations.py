"""Key sets that an issuer should not publish, and some that it well may."""

import base64
import json
from random import Random
from typing import Any, Final

from tests.factories.identity_tokens import b64, ec_key, jwk, rsa_key
from tests.fuzz.claim_mutations import near_misses, other_types
from tests.fuzz.drafts import Draft, Mutation

_SMALL_PRIME: Final = 2**521 - 1


def _entry(random: Random, draft: Draft) -> dict[str, Any]:
    listed = draft.keys.get("keys")
    entries = [e for e in listed if isinstance(e, dict)] if isinstance(listed, list) else []
    return random.choice(entries) if entries else {}


def _stranger_of_the_same_id(random: Random, draft: Draft) -> None:
    stranger = jwk((rsa_key if draft.algorithm == "RS256" else ec_key)("stranger"))
    entries = draft.keys.setdefault("keys", [])
    if isinstance(entries, list):
        entries.insert(random.randrange(len(entries) + 1), stranger)


def _member_removed(random: Random, draft: Draft) -> None:
    entry = _entry(random, draft)
    if entry:
        del entry[random.choice(list(entry))]


def _member_of_another_type(random: Random, draft: Draft) -> None:
    entry = _entry(random, draft)
    if entry:
        name = random.choice(list(entry))
        entry[name] = random.choice(other_types(entry[name]))


def _member_near_miss(random: Random, draft: Draft) -> None:
    entry = _entry(random, draft)
    texts = [name for name, value in entry.items() if isinstance(value, str)]
    if texts:
        name = random.choice(texts)
        entry[name] = random.choice(near_misses(entry[name], random))


def _said_otherwise(random: Random, draft: Draft) -> None:
    entry = _entry(random, draft)
    choices: list[tuple[str, Any]] = [
        ("use", "enc"),
        ("use", "SIG"),
        ("use", None),
        ("alg", "RS384"),
        ("alg", "ES256"),
        ("alg", "RS256"),
        ("alg", "none"),
        ("kty", "oct"),
        ("kty", "OKP"),
        ("kty", "EC"),
        ("kty", "RSA"),
        ("kty", "rsa"),
        ("crv", "P-384"),
        ("crv", "secp256k1"),
        ("crv", "Ed25519"),
        ("d", "AQAB"),
        ("oth", []),
        ("k", "AAAA"),
        ("key_ops", ["sign"]),
        ("x5c", ["AAAA"]),
    ]
    name, value = random.choice(choices)
    entry[name] = value


def _numbers(random: Random, draft: Draft) -> None:
    """Modulus and exponent, or the point, that make a weak key or none."""
    entry = _entry(random, draft)
    if entry.get("kty") == "EC":
        x, y = entry.get("x"), entry.get("y")
        pairs = [(y, x), (x, x), (x, b64(bytes(32))), (b64(bytes(32)), b64(bytes(32))), (x, "")]
        pairs += [(f"AA{x}", y), (b64(b"\xff" * 32), y), (b64(b"\x00" * 31), y), ("A" * 50_000, y)]
        entry["x"], entry["y"] = random.choice(pairs)
        return
    exponent = random.choice([0, 1, 2, 3, 4, 65536, 65537, 2**64 + 1, 2**2047 + 1])
    bits = random.choice([8, 512, 1024, 2047, 2048, 3072, 8192, 8193, 16384, 400_000])
    modulus = random.choice([2 ** (bits - 1) + 1, 2**bits - 1, _SMALL_PRIME**4, 2 ** (bits - 1), 0])
    if random.random() < 0.6:
        entry["e"] = b64(exponent.to_bytes((exponent.bit_length() + 7) // 8 or 1, "big"))
    if random.random() < 0.6:
        entry["n"] = b64(modulus.to_bytes((modulus.bit_length() + 7) // 8 or 1, "big"))


def _spelled_otherwise(random: Random, draft: Draft) -> None:
    entry = _entry(random, draft)
    name = random.choice(["n", "e", "x", "y"])
    if isinstance(entry.get(name), str):
        text = entry[name]
        plain = text.replace("-", "+").replace("_", "/")
        wide = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if text.isascii() else b""
        entry[name] = random.choice(
            [
                text + "=",
                text + "==",
                plain,
                b64(b"\x00" + wide),
                text + "\n",
                " " + text,
                text + "é",
            ]
        )


def _crowd(random: Random, draft: Draft) -> None:
    more = [jwk(ec_key("stranger"), f"k{i}") for i in range(random.choice([50, 98, 99, 100, 500]))]
    entries = draft.keys.get("keys")
    if isinstance(entries, list):
        draft.keys["keys"] = random.choice([entries + more, more + entries])


def _other_shape(random: Random, draft: Draft) -> None:
    whole = draft.keys.get("keys")
    shapes: list[Any] = [{"keys": whole}, whole, {"keys": {"0": whole}}, {"keys": None}, {}, [], 5]
    shapes += [{"KEYS": whole}, {"keys": [whole]}, {"keys": [None, 5, "x", [], whole]}, None, "x"]
    draft.keys_text = json.dumps(random.choice(shapes))


def _deep(random: Random, draft: Draft) -> None:
    depth = random.choice([10, 300, 900, 960, 980, 990, 5000]) + random.randrange(-9, 10)
    opening, closing = random.choice([("[", "]"), ('{"":', "}")])
    nested = opening * depth + "1" + closing * depth
    name = random.choice(["kid", "kty", "x5c", "n", "e", "crv", "alg", "use", "other"])
    entry = {key: value for key, value in _entry(random, draft).items() if key != name}
    draft.keys_text = f'{{"keys": [{json.dumps(entry)[:-1]}, "{name}": {nested}}}]}}'


KEYS: Final[tuple[Mutation, ...]] = (
    _stranger_of_the_same_id,
    _member_removed,
    _member_of_another_type,
    _member_near_miss,
    _said_otherwise,
    _numbers,
    _numbers,
    _spelled_otherwise,
    _crowd,
    _other_shape,
    _deep,
)
