"""The embedded signer's generations of keys: made, put to use, and opened by the attestor.

A generation is an authority, a CT key and a log key, with a tree for each of the two. All of them
lie in one place under one key-encryption key, so they are also replaced together (`rotation`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import connection, transaction

from provenance.adapters.embedded.authority import Authority, create_intermediate, create_root
from provenance.adapters.embedded.keys import KeyEncryptionKey, SigningKey, open_key, store_key
from provenance.errors import SignerUnavailable
from provenance.models import LogTree, SealedKey, SignerGeneration, TreeKind

ROOT: Final = "root"
INTERMEDIATE: Final = "intermediate"
CERTIFIED: Final = (ROOT, INTERMEDIATE)
# Any number, as long as nobody else in this database takes it for an advisory lock.
_CREATION_LOCK: Final = 0x5354_524F_4E47_0001


@dataclass(frozen=True, slots=True)
class Tree:
    """A growing tree with its opened key."""

    name: str
    origin: str
    key: SigningKey


@dataclass(frozen=True, slots=True)
class Generation:
    """Everything that signing needs, opened."""

    number: int
    authority: Authority
    certificates: Tree
    statements: Tree


def key_name(kind: str, number: int) -> str:
    """What the sealed key of this kind is called, and its tree if it has one."""
    return f"{kind}-{number}"


def key_names(number: int) -> Iterator[str]:
    """The names of all keys of a generation."""
    return (key_name(kind, number) for kind in (*CERTIFIED, *TreeKind.values))


def create_keys(kek: KeyEncryptionKey, *, base_url: str, now: datetime) -> None:
    """Create the first generation and use it, unless there is one already.

    Of several processes that start at once, one creates and the others wait for it.

    Raises:
        SignerUnavailable: keys exist, and this is not the key that they are sealed under.
    """
    with transaction.atomic(durable=True):
        wait_for_other_creators()
        if SignerGeneration.objects.exists():
            open_generation(kek)
            return
        start_growing(make_generation(kek, base_url=base_url, believed_from=now, now=now))


def make_generation(
    kek: KeyEncryptionKey, *, base_url: str, believed_from: datetime, now: datetime
) -> SignerGeneration:
    """The next generation with its keys, sealed; nothing uses them yet. Joins."""
    newest = SignerGeneration.objects.order_by("-number").first()
    number = newest.number + 1 if newest is not None else 1
    root_key, key = SigningKey.generate(), SigningKey.generate()
    organization = urlsplit(base_url).netloc
    root = create_root(root_key, organization=organization, generation=number, now=now)
    intermediate = create_intermediate(
        key, root=root, root_key=root_key, generation=number, now=now
    )
    for kind, own, certificate in (
        (ROOT, root_key, root),
        (INTERMEDIATE, key, intermediate),
    ):
        der = certificate.public_bytes(Encoding.DER)
        store_key(kek, key_name(kind, number), own, now=now, certificate=der)
    for kind in TreeKind.values:
        store_key(kek, key_name(kind, number), SigningKey.generate(), now=now)
    return SignerGeneration.objects.create(
        number=number,
        base_url=base_url,
        announced_at=now,
        believed_from=believed_from.replace(microsecond=0),
    )


def start_growing(generation: SignerGeneration) -> None:
    """Give a generation its trees, and so use it from the next batch on. Joins."""
    host, number = urlsplit(generation.base_url).hostname, generation.number
    # "host - number" is how a Rekor v1 log is recognised; anything else is read as a Rekor v2 one.
    origins = {
        TreeKind.CERTIFICATES: f"{host}/ct - {number}",
        TreeKind.STATEMENTS: f"{host} - {number}",
    }
    for kind, origin in origins.items():
        LogTree.objects.create(
            name=key_name(kind, number), generation=generation, kind=kind, origin=origin
        )


def open_generation(kek: KeyEncryptionKey) -> Generation:
    """Open the keys of the generation that is used.

    Raises:
        SignerUnavailable: there are no keys yet, or they are sealed under another key.
    """
    trees = {tree.kind: tree for tree in LogTree.objects.filter(retired_at=None)}
    if set(trees) != set(TreeKind):
        raise SignerUnavailable(reason="no-signing-keys")
    number = trees[TreeKind.STATEMENTS].generation_id
    rows = SealedKey.objects.in_bulk(list(key_names(number)))
    if len(rows) != len(CERTIFIED) + len(TreeKind):
        raise SignerUnavailable(reason="no-signing-keys", found=sorted(rows))

    def opened(kind: TreeKind) -> Tree:
        tree = trees[kind]
        return Tree(tree.name, tree.origin, open_key(kek, rows[tree.name]))

    issuing, above = rows[key_name(INTERMEDIATE, number)], rows[key_name(ROOT, number)]
    authority = Authority(
        key=open_key(kek, issuing),
        intermediate=_certificate(issuing),
        root=_certificate(above),
    )
    return Generation(number, authority, opened(TreeKind.CERTIFICATES), opened(TreeKind.STATEMENTS))


def wait_for_other_creators() -> None:
    """Let one process at a time create keys, until it commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CREATION_LOCK])


def _certificate(row: SealedKey) -> x509.Certificate:
    if row.certificate is None:
        raise SignerUnavailable(reason="no-signing-keys", found=f"{row.name} has no certificate")
    return x509.load_der_x509_certificate(bytes(row.certificate))
