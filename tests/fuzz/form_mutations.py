"""Tokens of almost the right form: JSON, base64url, signatures, the text as a whole."""

import hashlib
import hmac
import json
from random import Random
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.factories.identity_tokens import b64, ec_key, rsa_key
from tests.fuzz.drafts import Draft, Mutation
from tests.fuzz.reading import ALPHABET

_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HALF: Final = 32
# Around Python's own limits: of nested calls, and of digits in a number.
_DEPTHS: Final = (2, 20, 100, 300, 500, 800, 900, 950, 980, 990, 1000, 3000)
_DIGITS: Final = (20, 100, 4299, 4300, 4301, 9000)


def _added_member(part: bytes, member: bytes) -> bytes:
    return part[:-1] + b", " + member + b"}"


def _twice(random: Random, draft: Draft) -> None:
    at = random.randrange(2)
    members = draft.header if at == 0 else draft.claims
    if members:
        name = random.choice(list(members))
        value = random.choice([json.dumps(members[name]), '"1"', "null"])
        escaped = "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in name)
        spelled = random.choice([json.dumps(name), f'"{escaped}"'])
        draft.parts[at] = _added_member(draft.parts[at], f"{spelled}: {value}".encode())


def _encoded_otherwise(random: Random, draft: Draft) -> None:
    at = random.randrange(2)
    text = draft.parts[at].decode("utf-8", "surrogatepass")
    encoding = random.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-7"])
    draft.parts[at] = text.encode(encoding)


def _odd_value(random: Random, draft: Draft) -> None:
    digits = random.choice(_DIGITS)
    value = random.choice(
        [
            b"NaN",
            b"Infinity",
            b"-Infinity",
            b"1e999",
            b"-0",
            b"1E400",
            b"01",
            b"+1",
            b".5",
            b"1.",
            b"1" * digits,
            b"-" + b"9" * digits,
            b"0." + b"1" * digits,
            b"1e" + b"9" * digits,
            b'"\\ud800"',
            b'"\\udc00\\ud800"',
            b'"\\u0000"',
            b"'x'",
            b'"\t"',
            b"tru",
            b"undefined",
            b'"\xed\xa0\x80"',
            b'"\xc0\xaf"',
            b'"\xff"',
            b'"\xf4\x90\x80\x80"',
            b'"\\x41"',
        ]
    )
    at = random.randrange(2)
    draft.parts[at] = _added_member(draft.parts[at], b'"odd": ' + value)


def _nested(random: Random, draft: Draft) -> None:
    depth = random.choice(_DEPTHS) + random.randrange(-12, 13)
    opening, closing = random.choice([(b"[", b"]"), (b'{"":', b"}"), (b"[[{}],", b"]")])
    inner = opening * depth + b"1" + closing * depth
    at = random.randrange(2)
    name = random.choice([b'"deep"', b'"typ"', b'"kid"', b'"aud"', b'"alg"', b'"jti"', b'"exp"'])
    kept = [draft.header, draft.claims][at]
    members = {key: value for key, value in kept.items() if json.dumps(key).encode() != name}
    draft.parts[at] = _added_member(json.dumps(members).encode(), name + b": " + inner)


def _bent_bytes(random: Random, draft: Draft) -> None:
    at = random.randrange(2)
    part = bytearray(draft.parts[at])
    for _ in range(random.choice([1, 1, 2, 8])):
        place = random.randrange(len(part) + 1)
        drawn = random.choice(b'\x00\xff{}[]",:\\\n \x80\xed0') if random.random() < 0.5 else None
        byte = random.randrange(256) if drawn is None else drawn
        if random.random() < 0.5:
            part[place:place] = bytes([byte])
        else:
            part[place : place + 1] = bytes([byte])
    draft.parts[at] = bytes(part)


def _around(random: Random, draft: Draft) -> None:
    at = random.randrange(2)
    part = draft.parts[at]
    draft.parts[at] = random.choice(
        [
            part + b" ",
            b" \n\t\r" + part,
            part + b"\x00",
            part + part,
            b"[" + part + b"]",
            part[:-1],
            part + b"//",
            b"/**/" + part,
            part + b",",
            b"",
            b"{}",
            b"null",
            b'"' + part + b'"',
            b"\xef\xbb\xbf" + part,
            part[: random.randrange(len(part) + 1)],
            part + b" " * 13000,
        ]
    )


JSON: Final[tuple[Mutation, ...]] = (
    _twice,
    _encoded_otherwise,
    _odd_value,
    _odd_value,
    _nested,
    _nested,
    _bent_bytes,
    _around,
)


def _respelt(random: Random, draft: Draft) -> None:
    at = random.randrange(len(draft.segments))
    segment = draft.segments[at]
    place = random.randrange(len(segment) + 1)
    last = segment[-1:] or "A"
    near = ALPHABET[(ALPHABET.find(last) + random.randrange(1, 16)) % 64]
    draft.segments[at] = random.choice(
        [
            segment + "=",
            segment + "==",
            segment + "=" * (-len(segment) % 4),
            "=" + segment,
            segment.replace("-", "+").replace("_", "/"),
            segment[:-1] + near,
            segment + "A",
            segment[:place] + "\n" + segment[place:],
            segment + "\n",
            " " + segment,
            segment[:-1],
            segment[:place] + "é" + segment[place:],
            segment[:place] + "\uff21" + segment[place:],
            "",
            segment[:place] + random.choice(ALPHABET) + segment[place + 1 :],
            segment[:place],
            segment[:place] + "\x00" + segment[place:],
            segment[:place] + "!" + segment[place:],
        ]
    )


BASE64: Final[tuple[Mutation, ...]] = (_respelt,)


def _by_a_stranger(_random: Random, draft: Draft) -> None:
    draft.signer = (rsa_key if draft.algorithm == "RS256" else ec_key)("stranger")


def _by_the_other_kind(_random: Random, draft: Draft) -> None:
    draft.signer = ec_key() if draft.algorithm == "RS256" else rsa_key()


SIGNING: Final[tuple[Mutation, ...]] = (_by_a_stranger, _by_the_other_kind)


def _malleable(random: Random, draft: Draft) -> None:
    """Other pairs (r, s) of the same ECDSA signature: n - s is as good, the others are none."""
    r = int.from_bytes(draft.signature[:_HALF], "big")
    s = int.from_bytes(draft.signature[_HALF : 2 * _HALF], "big")
    order = _P256_ORDER
    pairs = [(r, order - s), (r, s + order), (r + order, s), (0, s), (r, 0), (0, 0), (order, order)]
    pairs += [(s, r), (order - r, s), (1, 1)]
    pair = random.choice(pairs)
    width = 64 if max(pair) >> 256 else _HALF
    draft.signature = b"".join(
        (number % 2 ** (8 * width)).to_bytes(width, "big") for number in pair
    )


def _as_der(random: Random, draft: Draft) -> None:
    r = int.from_bytes(draft.signature[:_HALF], "big")
    s = int.from_bytes(draft.signature[_HALF : 2 * _HALF], "big")
    draft.signature = encode_dss_signature(r, s)
    if random.random() < 0.3:
        draft.signature += b"\x00"


def _bent_signature(random: Random, draft: Draft) -> None:
    signature = draft.signature
    at = random.randrange(len(signature) or 1)
    flipped = bytearray(signature or b"\x00")
    flipped[at % len(flipped)] ^= 1 << random.randrange(8)
    draft.signature = random.choice(
        [
            bytes(flipped),
            signature[:at],
            signature[at:],
            signature + b"\x00",
            b"\x00" + signature,
            b"",
            bytes(len(signature)),
            b"\xff" * len(signature),
            signature * 2,
            signature.lstrip(b"\x00"),
            signature[_HALF:] + signature[:_HALF],
            signature[:-1] + b"\x00",
            b"\x00" * 9000,
        ]
    )


def _of_something_else(random: Random, draft: Draft) -> None:
    data = random.choice(
        [
            draft.signing_input + b".",
            draft.segments[1].encode("utf-8", "surrogatepass"),
            b"",
            draft.signing_input.rstrip(b"="),
            draft.signing_input.lower(),
            *draft.parts,
        ]
    )
    draft.signature = _plain(draft, data, random)


def _plain(draft: Draft, data: bytes, random: Random) -> bytes:
    key = draft.key
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        scheme = random.choice([padding.PKCS1v15(), pss])
        return key.sign(data, scheme, hashes.SHA256())
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def _of_another_scheme(random: Random, draft: Draft) -> None:
    key, data = draft.key, draft.signing_input
    digest = random.choice(
        [
            hashes.SHA1(),  # noqa: S303 - a forger's choice
            hashes.SHA384(),
            hashes.SHA512(),
            hashes.SHA256(),
        ]
    )
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        draft.signature = key.sign(data, pss, digest)
    else:
        draft.signature = key.sign(data, ec.ECDSA(digest))


def _hmac_with_the_public_key(random: Random, draft: Draft) -> None:
    encoding = random.choice([Encoding.PEM, Encoding.DER])
    public = draft.key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    draft.signature = hmac.new(public, draft.signing_input, hashlib.sha256).digest()


SIGNATURE: Final[tuple[Mutation, ...]] = (
    _malleable,
    _as_der,
    _bent_signature,
    _of_something_else,
    _of_another_scheme,
    _hmac_with_the_public_key,
)


def _other_serialization(random: Random, draft: Draft) -> None:
    """JWS in JSON, JWE's five parts, detached, two or four parts."""
    parts = ([*draft.text.split("."), "", "", ""])[:3]
    flattened = dict(zip(("protected", "payload", "signature"), parts, strict=True))
    draft.text = random.choice(
        [
            json.dumps(flattened),
            json.dumps({"payload": parts[1], "signatures": [flattened]}),
            ".".join([*parts, *parts[:2]]),
            ".".join([parts[0], "", *parts[1:], ""]),
            ".".join(parts[:2]),
            f"{parts[0]}..{parts[2]}",
            draft.text + ".",
            "." + draft.text,
            draft.text.replace(".", "\u3002"),
            b64(draft.text.encode("utf-8", "surrogatepass")),
            ".".join(parts[::-1]),
            "..",
            "....",
        ]
    )


def _surroundings(random: Random, draft: Draft) -> None:
    text = draft.text
    at = random.randrange(len(text) + 1)
    odd = random.choice(
        ["\x00", "\n", " ", "é", "\ud800", "\U0001f600", "=", "\u200b", "%00", "\ufeff"]
    )
    draft.text = random.choice(
        [
            text + "\n",
            " " + text,
            "Bearer " + text,
            f'"{text}"',
            text[:at] + odd + text[at:],
            odd + text,
            text + odd,
            text[:at],
            text.upper(),
            text.swapcase(),
            text * 2,
            text + "A" * 16384,
            "A" * 16384,
            "." * 16384,
            "A." * 8192,
            text[: at - 1] + random.choice(ALPHABET) + text[at:],
            "",
        ]
    )


def _spliced(random: Random, draft: Draft) -> None:
    """Parts of this token with another one's: each was signed, together they were not."""
    parts = draft.text.split(".")
    other = [
        b64(json.dumps(draft.header).encode()),
        b64(json.dumps({**draft.claims, "x": 1}).encode()),
    ]
    other.append(b64(_plain(draft, ".".join(other).encode(), random)))
    draft.text = ".".join(random.choice(pair) for pair in zip(parts, other, strict=False))


TEXT: Final[tuple[Mutation, ...]] = (_other_serialization, _surroundings, _surroundings, _spliced)
