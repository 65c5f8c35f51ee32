"""The signer `sigstore`: sigstore's own signer over an instance of Fulcio, Rekor and a TSA.

Each statement gets a key, a certificate, a timestamp and a log entry of its own. A log answers
only when it has published, about a second later, so the statements of a batch go side by side.
"""

import logging
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from sigstore import dsse
from sigstore.errors import Error as SigstoreError
from sigstore.oidc import IdentityError, IdentityToken
from sigstore.sign import SigningContext

from provenance.adapters.sigstore_instance.breaker import Breaker
from provenance.adapters.sigstore_instance.clients import (
    InstanceFulcio,
    InstanceRekor,
    InstanceRekorV1,
    InstanceTimestamps,
    Service,
)
from provenance.adapters.sigstore_instance.configuration import (
    Description,
    Services,
    read_services,
)
from provenance.adapters.sigstore_instance.identity_tokens import IdentityTokens, Mint
from provenance.adapters.sigstore_instance.line import Kept, Limits, Line
from provenance.domain.transparency import DEFAULT, Transparency, require_place
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.ports import Signed, SigningJob

logger = logging.getLogger(__name__)

Answer = Signed | SignerRefused | SignerUnavailable


class SigstoreSigner:
    """Signs with one instance, and only what may be recorded where that instance records.

    Call it outside of any transaction.
    It lives as long as its process, and remembers which service has failed lately.
    """

    name = "sigstore"
    # While the log lets one wait, another is recorded, and the next stands ready.
    batches_at_once = 3

    def __init__(
        self,
        *,
        files: Description,
        identities: IdentityTokens,
        transparency: Transparency = DEFAULT,
        clock: Callable[[], datetime] = timezone.now,
        limits: Limits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files = files
        self._transparency = transparency
        self._identities = identities
        self._clock = clock
        self._limits = limits or Limits()
        # All batches of the process share them, so that the instance never sees more at once.
        self._threads = ThreadPoolExecutor(
            self._limits.threads, thread_name_prefix="sigstore-signer"
        )
        self._kept = Kept()
        self._tls = ssl.create_default_context()
        self._breakers = {
            name: Breaker(name, clock=monotonic) for name in ("fulcio", "rekor", "tsa")
        }

    def sign(self, jobs: Sequence[SigningJob]) -> list[Answer]:
        """Sign side by side, as many as the limits say, and end them all before the lease does."""
        if not jobs:
            return []
        office = self._open()
        hang_up = threading.Timer(self._limits.batch_seconds, office.line.hang_up)
        hang_up.daemon = True
        hang_up.start()
        try:
            with self._kept.in_use():
                answers = list(self._threads.map(office.sign, jobs))
        finally:
            hang_up.cancel()
        unavailable = [answer for answer in answers if isinstance(answer, SignerUnavailable)]
        if len(unavailable) == len(answers):
            raise unavailable[0]
        return answers

    def _open(self) -> "_Office":
        return _Office(
            services=read_services(self._files, self._transparency),
            transparency=self._transparency,
            mint=self._identities.open(),
            line=Line(self._limits, self._tls, self._kept),
            breakers=self._breakers,
            clock=self._clock,
        )


@dataclass(frozen=True, slots=True)
class _Office:
    """What a batch is signed with."""

    services: Services
    transparency: Transparency
    mint: Mint
    line: Line
    breakers: dict[str, Breaker]
    clock: Callable[[], datetime]

    def sign(self, job: SigningJob) -> Answer:
        """Sign one statement, in a thread that touches no database."""
        if self.line.is_hung_up:  # it stood waiting for a thread; no service has failed it
            return SignerUnavailable(reason="batch-too-slow")
        try:
            require_place(job.transparency, declared=[self.transparency])
            # First, so that a statement that cannot be signed costs no certificate.
            statement = dsse.Statement(job.statement)
        except SignerRefused as refusal:
            return refusal
        except SigstoreError as error:
            return SignerRefused(reason="not-signable", found=str(error)[:300])
        try:
            token = IdentityToken(self.mint(job, self.clock()))
            with self._context(job).signer(token) as signer:
                return Signed(signer.sign_dsse(statement).to_json().encode())
        except (SignerRefused, SignerUnavailable) as refusal:
            return refusal
        except IdentityError as error:
            return SignerUnavailable(reason="identity-token", found=str(error)[:300])
        except SigstoreError as error:  # for example an SCT of a log that is not trusted
            return SignerRefused(reason="answer-not-verifiable", found=str(error)[:300])
        except Exception as error:  # one job's surprise must not take the others with it
            logger.exception("sigstore signer failed", extra={"identity": job.identity})
            return SignerUnavailable(reason="unexpected-error", found=repr(error)[:300])

    def _context(self, job: SigningJob) -> SigningContext:
        services = self.services
        log = (InstanceRekorV1 if services.rekor.version == 1 else InstanceRekor)(
            self._service("rekor", f"{services.rekor.url}/log/entries")
        )
        authorities = [InstanceTimestamps(self._service("tsa", url)) for url in services.timestamps]
        certificates = self._service("fulcio", f"{services.fulcio.rstrip('/')}/api/v2/signingCert")
        return SigningContext(
            fulcio=InstanceFulcio(certificates, job.identity),  # type: ignore[arg-type]  # all it uses is `signing_cert.post`
            rekor=log,
            trusted_root=services.trusted_root,
            tsa_clients=authorities,  # type: ignore[arg-type]  # all it uses is `request_timestamp`
        )

    def _service(self, name: str, url: str) -> Service:
        return Service(self.line, self.breakers[name], url)
