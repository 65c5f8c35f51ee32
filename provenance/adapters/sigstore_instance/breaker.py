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
# A trial ends before: no line of ours stays open longer than a batch.
TRIAL_SECONDS: Final = 60.0


class Breaker:
    """Counts the failures of one service, in this process.

    After three in a row nobody asks for five seconds, doubling to a minute. Then one tries, and
    whoever comes meanwhile waits for how it went, so that a service which is still silent is
    asked once and not by every thread: a failure closes the way again, an answer opens it.
    """

    def __init__(self, service: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.service = service
        self._clock = clock
        self._changed = threading.Condition()
        self._failures = 0
        self._pause = FIRST_SECONDS
        self._closed_until = float("-inf")
        self._is_tried = False
        self._last: SignerUnavailable | None = None
        SERVICE_LEFT_ALONE.labels(service).set(0)

    def check(self) -> None:
        """Go on, or be told why not. Who goes on says how it went.

        Raises:
            SignerUnavailable: the service has failed, and it is not time to ask it again.
        """
        with self._changed:
            if self._is_tried and not self._changed.wait(TRIAL_SECONDS):
                self._is_tried = False  # whoever tried has never said how it went
            left, last = self._closed_until - self._clock(), self._last
            if left <= 0 or last is None:
                self._is_tried = self._failures >= FAILURES
                return
        raise SignerUnavailable(
            service=self.service,
            reason="service-left-alone",
            retry_after_seconds=round(left, 1),
            found=str(last.facts.get("reason", "")),
        )

    def succeeded(self) -> None:
        """The service answered, be it with a no."""
        with self._changed:
            self._failures, self._pause, self._last = 0, FIRST_SECONDS, None
            self._closed_until = float("-inf")
            self._end_trial()
        SERVICE_LEFT_ALONE.labels(self.service).set(0)

    def failed(self, refusal: SignerUnavailable) -> None:
        """The service did not answer, or with nothing that can be read."""
        with self._changed:
            self._failures += 1
            self._last = refusal
            # Those who were under way when it closed say nothing new.
            if self._failures < FAILURES or self._closed_until > self._clock():
                return
            self._closed_until = self._clock() + self._pause
            self._pause = min(self._pause * 2, LONGEST_SECONDS)
            self._end_trial()
        SERVICE_LEFT_ALONE.labels(self.service).set(1)

    def _end_trial(self) -> None:
        self._is_tried = False
        self._changed.notify_all()
