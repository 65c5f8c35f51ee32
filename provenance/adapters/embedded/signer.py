"""The embedded signer: sigstore's own signer over a CA and two logs that live in this store.

One operator holds every key. A bundle of it is a signature with an audit trail, checkable with
stock Sigstore tools; it is not independent transparency.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import Error as DjangoDatabaseError
from django.utils import timezone
from sigstore import dsse
from sigstore.errors import Error as SigstoreError
from sigstore.models import TrustedRoot
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from sigstore_models.trustroot import v1 as trustroot

from provenance.adapters.embedded.backends import EmbeddedFulcio, EmbeddedRekor
from provenance.adapters.embedded.clerk import Clerk
from provenance.adapters.embedded.desk import Desk
from provenance.adapters.embedded.generations import open_generation
from provenance.adapters.embedded.identity import IdentityIssuer
from provenance.adapters.embedded.keys import KeyEncryptionKey
from provenance.adapters.embedded.trust_root import trusted_root
from provenance.domain.transparency import DEFAULT, require_place
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.ports import Signed, SigningJob

logger = logging.getLogger(__name__)

BATCH: Final = 32

Answer = Signed | SignerRefused | SignerUnavailable


class EmbeddedSigner:
    """Signs with the keys of this store; the keys exist already (`generations.create_keys`).

    Keys are opened for each call, so that a new generation is used from its first moment on and
    no private key stays in memory between batches. Call it outside of any transaction.
    """

    name = "embedded"
    batches_at_once = 1  # it computes, and appends to its logs under a lock

    def __init__(
        self,
        *,
        key_file: Path | None,
        issuer: str,
        clock: Callable[[], datetime] = timezone.now,
    ) -> None:
        self._key_file = key_file
        self._issuer = issuer
        self._clock = clock

    def sign(self, jobs: Sequence[SigningJob]) -> list[Answer]:
        """Sign in batches of 32, each with one append to each tree."""
        office = self._open()
        answers: list[Answer] = []
        for start in range(0, len(jobs), BATCH):
            answers += _sign_batch(office, jobs[start : start + BATCH])
        unavailable = [answer for answer in answers if isinstance(answer, SignerUnavailable)]
        if unavailable and len(unavailable) == len(answers):
            raise unavailable[0]
        return answers

    def _open(self) -> "_Office":
        kek = KeyEncryptionKey.read(self._key_file)
        try:
            generation = open_generation(kek)
            root = trustroot.TrustedRoot.from_json(trusted_root())
        except DjangoDatabaseError as error:
            raise SignerUnavailable(reason="database", found=str(error)) from error
        identities = IdentityIssuer(issuer=self._issuer)
        clerk = Clerk(generation=generation, identities=identities, clock=self._clock)
        return _Office(clerk, TrustedRoot(root), self._issuer)


@dataclass(frozen=True, slots=True)
class _Office:
    """What a batch is signed with."""

    clerk: Clerk
    trusted_root: TrustedRoot
    issuer: str

    def context(self, desk: Desk) -> SigningContext:
        authority = self.clerk.generation.authority
        fulcio = EmbeddedFulcio(desk, [authority.intermediate, authority.root])
        return SigningContext(
            fulcio=fulcio,  # type: ignore[arg-type]  # all it uses is `signing_cert.post`
            rekor=EmbeddedRekor(desk, self.issuer),
            trusted_root=self.trusted_root,
        )


def _sign_batch(office: _Office, jobs: Sequence[SigningJob]) -> list[Answer]:
    desk = Desk()
    context = office.context(desk)
    failure: SignerUnavailable | None = None
    with ThreadPoolExecutor(max_workers=len(jobs), thread_name_prefix="embedded-signer") as pool:
        signers = [pool.submit(_sign_one, job, office.clerk, context, desk) for job in jobs]
        try:
            desk.serve(len(jobs), office.clerk.answer)
        except SignerUnavailable as refusal:
            failure = refusal
        except DjangoDatabaseError as error:
            failure = SignerUnavailable(reason="database", found=str(error))
    answers = [signer.result() for signer in signers]
    if failure is None:
        return answers
    # Whoever was turned away when the desk closed gets the reason why it did.
    return [failure if isinstance(answer, SignerUnavailable) else answer for answer in answers]


def _sign_one(job: SigningJob, clerk: Clerk, context: SigningContext, desk: Desk) -> Answer:
    """Sign one statement, in a thread of its own that blocks at the desk; touches no database."""
    try:
        require_place(job.transparency, declared=[DEFAULT])
        # First, so that a statement that cannot be signed costs no certificate.
        statement = dsse.Statement(job.statement)
        token = clerk.identities.mint(
            identity=job.identity, extensions=job.claims, now=clerk.clock()
        )
        with context.signer(IdentityToken(token)) as signer:
            return Signed(signer.sign_dsse(statement).to_json().encode())
    except (SignerRefused, SignerUnavailable) as refusal:
        return refusal
    except SigstoreError as error:
        return SignerRefused(reason="not-signable", found=str(error)[:300])
    except Exception as error:  # one job's surprise must not take the others with it
        logger.exception("embedded signer failed", extra={"identity": job.identity})
        return SignerUnavailable(reason="unexpected-error", found=repr(error)[:300])
    finally:
        desk.leave()
