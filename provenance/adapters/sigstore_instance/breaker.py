"""Leave a service alone for a while after it has failed several times in a row."""

import threading
import time
from collections.abc import Callable
from typing import Final

from kernel.metrics import SERVICE_LEFT_ALONE
from provenance.errors import SignerUnavailable

FAILURES: Final = 3
FIRST_SECONDS: Final = 5.0
LONGEST_SECONDS: Final = 60.0
# A probe ends before: no line of ours stays open longer than a batch.
PROBE_SECONDS: Final = 60.0


class Breaker:
    """Counts the failures of one service, in this process.

    After three in a row nobody asks for five seconds, doubling to a minute. Then one may try,
    while the others still wait, so that a slow service holds one thread and not all of them: its
    failure closes the way again, its answer opens it for everybody.
    """

    def __init__(self, service: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.service = service
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._pause = FIRST_SECONDS
        self._closed_until = float("-inf")
        self._is_probed = False
        self._last: SignerUnavailable | None = None
        SERVICE_LEFT_ALONE.labels(service).set(0)

    def check(self) -> None:
        """Go on, or be told why not. Who may go on says how it went.

        Raises:
            SignerUnavailable: the service has failed, and it is not time to ask it again.
        """
        with self._lock:
            now, last = self._clock(), self._last
            left = self._closed_until - now
            if left <= 0 and self._failures >= FAILURES:
                # This caller is the one that tries.
                self._closed_until = now + PROBE_SECONDS
                self._is_probed = True
        if left > 0 and last is not None:
            raise SignerUnavailable(
                service=self.service,
                reason="service-left-alone",
                # While one tries, the others come again soon: it may be the last failure.
                retry_after_seconds=round(min(left, self._pause), 1),
                found=str(last.facts.get("reason", "")),
            )

    def succeeded(self) -> None:
        """The service answered, be it with a no."""
        with self._lock:
            self._failures, self._pause, self._last = 0, FIRST_SECONDS, None
            self._closed_until, self._is_probed = float("-inf"), False
        SERVICE_LEFT_ALONE.labels(self.service).set(0)

    def failed(self, refusal: SignerUnavailable) -> None:
        """The service did not answer, or with nothing that can be read."""
        with self._lock:
            self._failures += 1
            self._last = refusal
            # Those who were under way when it closed say nothing new.
            is_closed = self._closed_until > self._clock() and not self._is_probed
            if self._failures < FAILURES or is_closed:
                return
            self._closed_until, self._is_probed = self._clock() + self._pause, False
            self._pause = min(self._pause * 2, LONGEST_SECONDS)
        SERVICE_LEFT_ALONE.labels(self.service).set(1)
