"""An auditor of transparency logs that shares nothing with the product's own log code.

It takes what any consumer holds (bundles and a trust root) and decides whether all of it can
come from one history. Sources: RFC 9162 sections 2.1.1 to 2.1.3 and the checkpoint format of
transparency-dev, read anew; of the product not one line is imported.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key


class NotOneHistory(AssertionError):
    """What was found cannot come from one append-only log."""


@dataclass(frozen=True)
class Seen:
    """What one bundle says about the log."""

    index: int
    leaf: bytes
    size: int
    root: bytes
    path: tuple[bytes, ...]
    note: str


def read_bundle(bundle: bytes) -> Seen:
    (entry,) = json.loads(bundle)["verificationMaterial"]["tlogEntries"]
    proof = entry["inclusionProof"]
    if entry["logIndex"] != proof["logIndex"]:
        raise NotOneHistory("the entry and its proof name different places")
    return Seen(
        index=int(entry["logIndex"]),
        leaf=base64.b64decode(entry["canonicalizedBody"], validate=True),
        size=int(proof["treeSize"]),
        root=base64.b64decode(proof["rootHash"], validate=True),
        path=tuple(base64.b64decode(text, validate=True) for text in proof.get("hashes", [])),
        note=proof["checkpoint"]["envelope"],
    )


def log_key(trust_root: bytes) -> bytes:
    """The one log key of a trust root, as DER."""
    (log,) = json.loads(trust_root)["tlogs"]
    return base64.b64decode(log["publicKey"]["rawBytes"], validate=True)


def check_checkpoint(note: str, *, key: bytes) -> tuple[str, int, bytes]:
    """Verify a checkpoint's signature; the answer is its origin, size and root."""
    text, _, signatures = note.partition("\n\n")
    origin, size, root = text.split("\n")
    dash, name, encoded = signatures.removesuffix("\n").split(" ")
    raw = base64.b64decode(encoded, validate=True)
    if dash != "\u2014" or raw[:4] != hashlib.sha256(key).digest()[:4]:
        raise NotOneHistory(f"the checkpoint is signed by somebody else: {name}")
    public = load_der_public_key(key)
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise NotOneHistory("the log's key is of another kind")
    public.verify(raw[4:], f"{text}\n".encode(), ec.ECDSA(hashes.SHA256()))
    return origin, int(size), base64.b64decode(root, validate=True)


def check_inclusion(seen: Seen) -> None:
    """RFC 9162, section 2.1.3.2, with its own names: fn, sn and r."""
    if seen.index >= seen.size:
        raise NotOneHistory(f"leaf {seen.index} in a tree of {seen.size}")
    fn, sn, r = seen.index, seen.size - 1, _leaf(seen.leaf)
    for p in seen.path:
        if sn == 0:
            raise NotOneHistory("the audit path is too long")
        if fn & 1 or fn == sn:
            r = _node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = _node(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or r != seen.root:
        raise NotOneHistory(f"leaf {seen.index} is not in the tree of {seen.size}")


def check_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]
) -> None:
    """RFC 9162, section 2.1.4.2, with its own names: fn, sn, fr and sr; for first < second."""
    remaining = [first_root, *path] if first & (first - 1) == 0 else list(path)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = remaining[0]
    for c in remaining[1:]:
        if sn == 0:
            raise NotOneHistory("the consistency path is too long")
        if fn & 1 or fn == sn:
            fr, sr = _node(c, fr), _node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = _node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or (fr, sr) != (first_root, second_root):
        raise NotOneHistory(f"the tree of {second} does not begin with the tree of {first}")


def roots(leaves: Iterable[bytes]) -> list[bytes]:
    """The root after each leaf, from 0 leaves on: subtrees are merged like binary addition."""
    answer, peaks = [hashlib.sha256(b"").digest()], list[tuple[int, bytes]]()
    for leaf in leaves:
        peaks.append((0, _leaf(leaf)))
        while len(peaks) > 1 and peaks[-1][0] == peaks[-2][0]:
            (height, right), (_, left) = peaks.pop(), peaks.pop()
            peaks.append((height + 1, _node(left, right)))
        root = peaks[-1][1]
        for _, left in reversed(peaks[:-1]):
            root = _node(left, root)
        answer.append(root)
    return answer


def audit(bundles: Iterable[bytes], *, key: bytes) -> list[bytes]:
    """Prove that these bundles are the whole of one history; the answer are its leaves.

    Raises:
        NotOneHistory: a place is missing or taken twice, or a checkpoint is of another history.
        InvalidSignature: a checkpoint was not signed by this key.
    """
    seen = sorted((read_bundle(bundle) for bundle in bundles), key=lambda one: one.index)
    if [one.index for one in seen] != list(range(len(seen))):
        raise NotOneHistory("the places are not 0, 1, 2, … without gaps")
    history = roots(one.leaf for one in seen)
    checked: dict[str, tuple[str, int, bytes]] = {}
    for one in seen:
        if one.note not in checked:
            checked[one.note] = check_checkpoint(one.note, key=key)
        _, size, root = checked[one.note]
        if (size, root) != (one.size, one.root):
            raise NotOneHistory(f"proof and checkpoint of leaf {one.index} differ")
        if size >= len(history) or history[size] != root:
            raise NotOneHistory(f"the checkpoint of size {size} is no prefix of the history")
        check_inclusion(one)
    if len({origin for origin, _, _ in checked.values()}) != 1:
        raise NotOneHistory("several logs")
    return [one.leaf for one in seen]


def _leaf(body: bytes) -> bytes:
    return hashlib.sha256(b"\0" + body).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
