"""The store's attestor signs checkpoints of the audit trail: kernel's port, provenance's signer.

A checkpoint is an in-toto statement in a Sigstore bundle, as all that the attestor signs, with a
predicate type and an identity of its own, which no verification policy accepts (docs/adr/0044).
"""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from django.conf import settings

from kernel.audit.checkpoint import Checkpoint, NotOurs
from kernel.audit.models import AuditCheckpoint
from kernel.digest import Sha256
from kernel.errors import Refusal
from provenance import wiring
from provenance.domain.statement import Statement, Subject, encode, parse
from provenance.errors import TrustRootMissing
from provenance.ports import BundleVerifier, Signed, Signer, SigningJob
from provenance.queries import trust_root, trust_state

SUBJECT: Final = "audit-trail"


class AttestorSigner:
    """Signs checkpoints; only a process that was given the attestor's key can."""

    def __init__(self, *, signer: Signer, base_url: str) -> None:
        self._signer = signer
        self._base_url = base_url

    def sign(self, checkpoint: Checkpoint) -> bytes:
        """The bundle, on one line."""
        subject = Subject(SUBJECT, Sha256(checkpoint.seal_sha256))
        predicate = {
            "store": self._base_url,
            "checkpoint": checkpoint.number,
            "seal": checkpoint.seal,
            "madeAt": checkpoint.made_at.isoformat(),
        }
        statement = encode(Statement((subject,), _predicate_type(self._base_url), predicate))
        (answer,) = self._signer.sign([SigningJob(statement, _identity(self._base_url), {})])
        if not isinstance(answer, Signed):
            raise answer
        return json.dumps(json.loads(answer.bundle), separators=(",", ":")).encode()


class AttestorReader:
    """Reads checkpoints with a trust root: the published one, or one that was kept elsewhere.

    A trust root names retired keys too, so that old checkpoints stay readable. A key that was
    revoked is not believed: what it signed may be anybody's.
    """

    def __init__(
        self, *, verifier: BundleVerifier, base_url: str, trust_root: bytes | None = None
    ) -> None:
        self._verifier = verifier
        self._base_url = base_url
        self._given = trust_root

    @cached_property
    def _trust_root(self) -> bytes:
        if self._given is not None:
            return self._given
        try:
            return trust_root(version=trust_state().trust_root_version)
        except TrustRootMissing as refusal:
            raise NotOurs("no trust root has been published to verify it with") from refusal

    def read(self, unverified: bytes) -> Checkpoint:
        """What was signed, if this store's attestor did, as itself and for this purpose."""
        verification = self._verifier.verify(unverified, trust_root=self._trust_root)
        verified = verification.verified
        if verified is None:
            failed = verification.steps[-1]
            raise NotOurs(f"{failed.name.value}: {failed.code}")
        if not verified.may_be(_identity(self._base_url)):
            raise NotOurs(f"it was signed as {verified.identity}")
        try:
            return _checkpoint(parse(verified.payload), base_url=self._base_url)
        except Refusal as refusal:
            raise NotOurs(str(refusal)) from refusal


def checkpoint_signer() -> AttestorSigner:
    """The attestor of this store, for the worker and the operator's command."""
    return AttestorSigner(signer=wiring.signer(), base_url=settings.PUBLIC_URL)


def checkpoint_reader(*, trust_root: bytes | None = None) -> AttestorReader:
    """Whoever verifies checkpoints of this store; `trust_root` is one that was kept elsewhere."""
    return AttestorReader(
        verifier=wiring.verifier(), base_url=settings.PUBLIC_URL, trust_root=trust_root
    )


def write_checkpoints(folder: Path) -> None:
    """Give each published checkpoint a file of its own there; what is there stays as it is."""
    newest_first = AuditCheckpoint.objects.order_by("-number")
    for one in _missing(newest_first.iterator(chunk_size=100), folder):
        file = folder / _file_name(one.number)
        unfinished = file.with_suffix(".part")
        unfinished.write_bytes(bytes(one.bundle) + b"\n")
        unfinished.rename(file)


def _missing(newest_first: Iterator[AuditCheckpoint], folder: Path) -> list[AuditCheckpoint]:
    """Those behind the newest that has a file, oldest first: files are written in this order."""
    found: list[AuditCheckpoint] = []
    for one in newest_first:
        if (folder / _file_name(one.number)).exists():
            break
        found.insert(0, one)
    return found


def _file_name(number: int) -> str:
    return f"checkpoint-{number:08}.json"


def _identity(base_url: str) -> str:
    return f"{base_url}/attestors/audit/v1"


def _predicate_type(base_url: str) -> str:
    return f"{base_url}/predicates/audit-checkpoint/v1"


def _checkpoint(statement: Statement, *, base_url: str) -> Checkpoint:
    """The checkpoint that a verified statement is.

    Raises:
        NotOurs: it is about something else, or about another store.
    """
    if statement.predicate_type != _predicate_type(base_url):
        raise NotOurs(f"it is a statement of the type {statement.predicate_type}")
    match statement.subjects, statement.predicate:
        case (
            (Subject(name="audit-trail", digest=digest),),
            {"store": str(store), "checkpoint": int(number), "seal": int(seal), "madeAt": str(at)},
        ) if store == base_url:
            return Checkpoint(number, seal, digest.hex, datetime.fromisoformat(at))
        case _:
            raise NotOurs("it does not say what a checkpoint of this store says")
