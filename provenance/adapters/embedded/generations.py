"""The keys and trees of the embedded signer: created once, opened by the attestor, replaced.

A generation is one CT key and one log key with their trees. A second generation starts after a
restore from a backup, because the old trees have forgotten leaves that others have seen: to go
on would be to tell two histories under one key.
"""

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
from provenance.models import LogTree, SealedKey, TreeKind

ROOT: Final = "root"
INTERMEDIATE: Final = "intermediate"
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

    authority: Authority
    certificates: Tree
    statements: Tree


def create_keys(kek: KeyEncryptionKey, *, base_url: str, now: datetime) -> None:
    """Create the authority and the first generation, unless they exist already.

    Of several processes that start at once, one creates and the others wait for it.

    Raises:
        SignerUnavailable: keys exist, and this is not the key that they are sealed under.
    """
    with transaction.atomic(durable=True):
        wait_for_other_creators()
        existing = SealedKey.objects.filter(name=INTERMEDIATE).first()
        if existing is not None:
            open_key(kek, existing)
            return
        organization = urlsplit(base_url).netloc
        root_key, key = SigningKey.generate(), SigningKey.generate()
        root = create_root(root_key, organization=organization, now=now)
        intermediate = create_intermediate(key, root=root, root_key=root_key, now=now)
        for name, own, certificate in (
            (ROOT, root_key, root),
            (INTERMEDIATE, key, intermediate),
        ):
            der = certificate.public_bytes(Encoding.DER)
            store_key(kek, name, own, now=now, certificate=der)
        _create_generation(kek, 1, base_url=base_url, now=now)


def start_new_log(kek: KeyEncryptionKey, *, base_url: str, now: datetime) -> None:
    """Retire both trees and start new ones, with new keys and origins: after a restore.

    What the old trees promised stays provable. Publish the new trust root before anything is
    signed again; a signer that is still running refuses to append to a retired tree.

    Raises:
        SignerUnavailable: there are no keys yet, or they are sealed under another key.
    """
    with transaction.atomic(durable=True):
        wait_for_other_creators()
        open_generation(kek)
        growing = LogTree.objects.select_for_update().filter(retired_at=None).order_by("name")
        for tree in growing:
            tree.retired_at = now
            tree.save(update_fields=["retired_at"])
        number = LogTree.objects.filter(kind=TreeKind.STATEMENTS).count() + 1
        _create_generation(kek, number, base_url=base_url, now=now)


def open_generation(kek: KeyEncryptionKey) -> Generation:
    """Open the keys of the generation that grows.

    Raises:
        SignerUnavailable: there are no keys yet, or they are sealed under another key.
    """
    trees = {tree.kind: tree for tree in LogTree.objects.filter(retired_at=None)}
    rows = SealedKey.objects.in_bulk([INTERMEDIATE, ROOT, *(tree.name for tree in trees.values())])
    if INTERMEDIATE not in rows or set(trees) != set(TreeKind):
        raise SignerUnavailable(reason="no-signing-keys")

    def opened(kind: TreeKind) -> Tree:
        tree = trees[kind]
        return Tree(tree.name, tree.origin, open_key(kek, rows[tree.name]))

    authority = Authority(
        key=open_key(kek, rows[INTERMEDIATE]),
        intermediate=_certificate(rows[INTERMEDIATE]),
        root=_certificate(rows[ROOT]),
    )
    return Generation(authority, opened(TreeKind.CERTIFICATES), opened(TreeKind.STATEMENTS))


def _create_generation(kek: KeyEncryptionKey, number: int, *, base_url: str, now: datetime) -> None:
    host = urlsplit(base_url).hostname
    # "host - number" is how a Rekor v1 log is recognised; anything else is read as a Rekor v2 one.
    origins = {
        TreeKind.CERTIFICATES: f"{host}/ct - {number}",
        TreeKind.STATEMENTS: f"{host} - {number}",
    }
    for kind, origin in origins.items():
        name = f"{kind.value}-{number}"
        store_key(kek, name, SigningKey.generate(), now=now)
        LogTree.objects.create(
            name=name,
            kind=kind,
            base_url=base_url,
            origin=origin,
            started_at=now,
        )


def wait_for_other_creators() -> None:
    """Let one process at a time create keys, until it commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CREATION_LOCK])


def _certificate(row: SealedKey) -> x509.Certificate:
    if row.certificate is None:
        raise SignerUnavailable(reason="no-signing-keys", found=f"{row.name} has no certificate")
    return x509.load_der_x509_certificate(bytes(row.certificate))
