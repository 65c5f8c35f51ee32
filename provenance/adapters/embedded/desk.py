"""Where signing threads wait while one thread answers all of them at once.

The sigstore signer asks its CA and its log in the middle of its work, one statement at a time.
Each signer therefore has a thread of its own that blocks in `ask`; the thread that called
`serve` owns the database connection, waits until every signer asks or has ended, and answers
them together: one append for the whole batch.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from cryptography.x509 import Certificate, CertificateSigningRequest

from provenance.errors import SignerUnavailable


@dataclass(frozen=True, slots=True, eq=False)
class CertificateAsked:
    """A signer wants a certificate for its key, on the strength of a token."""

    request: CertificateSigningRequest
    unverified_token: str
    answer: Future[Certificate] = field(default_factory=Future)


@dataclass(frozen=True, slots=True, eq=False)
class EntryAsked:
    """A signer wants its envelope in the log; the answer is its entry, as bundles spell it."""

    proposed: dict[str, Any]
    answer: Future[dict[str, Any]] = field(default_factory=Future)


Asked = CertificateAsked | EntryAsked
_ENDED = None


class Desk:
    """One batch's meeting point. Whatever happens to it, no thread stays blocked."""

    def __init__(self) -> None:
        self._arrivals: queue.Queue[Asked | None] = queue.Queue()
        self._lock = threading.Lock()
        self._is_closed = False

    def ask(self, asked: Asked) -> None:
        """Hand in a question; its `answer` will come, or fail.

        Raises:
            SignerUnavailable: the desk has closed, because answering failed as a whole.
        """
        with self._lock:
            if self._is_closed:
                raise SignerUnavailable(reason="batch-abandoned")
            self._arrivals.put(asked)

    def leave(self) -> None:
        """Say that one signer has ended, well or badly."""
        self._arrivals.put(_ENDED)

    def serve(self, signers: int, answer: Callable[[Sequence[Asked]], None]) -> None:
        """Answer in rounds until all signers have left.

        If `answer` raises, everybody who waits or still comes is refused, and it is raised here.
        """
        waiting: list[Asked] = []
        try:
            while signers:
                arrived = self._arrivals.get()
                if arrived is _ENDED:
                    signers -= 1
                else:
                    waiting.append(arrived)
                if waiting and len(waiting) == signers:
                    answer(waiting)
                    waiting = []
        finally:
            self._close(waiting)

    def _close(self, waiting: list[Asked]) -> None:
        with self._lock:
            self._is_closed = True
        while not self._arrivals.empty():
            arrived = self._arrivals.get()
            if arrived is not _ENDED:
                waiting.append(arrived)
        for asked in waiting:
            if not asked.answer.done():
                asked.answer.set_exception(SignerUnavailable(reason="batch-abandoned"))
