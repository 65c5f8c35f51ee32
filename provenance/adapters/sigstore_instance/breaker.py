"""Leave a service alone for a while after it has failed several times in a row."""

import threading
import time
from collections.abc import Callable
from typing import Final

from provenance.errors import SignerUnavailable

FAILURES: Final = 3
FIRST_SECONDS: Final = 5.0
LONGEST_SECONDS: Final = 60.0


class Breaker:
    """Counts the failures of one service, in this process.

    After three in a row nobody asks for five seconds, doubling to a minute. Then everybody may
    try: the first failure closes the way again, the first answer opens it for good.
    """

    def __init__(self, service: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.service = service
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._pause = FIRST_SECONDS
        self._closed_until = float("-inf")
        self._last: SignerUnavailable | None = None

    def check(self) -> None:
        """Go on, or be told why not.

        Raises:
            SignerUnavailable: the service has failed, and it is not time to ask it again.
        """
        with self._lock:
            left = self._closed_until - self._clock()
            last = self._last
        if left > 0 and last is not None:
            raise SignerUnavailable(
                service=self.service,
                reason="service-left-alone",
                retry_after_seconds=round(left, 1),
                found=str(last.facts.get("reason", "")),
            )

    def succeeded(self) -> None:
        """The service answered, be it with a no."""
        with self._lock:
            self._failures, self._pause, self._last = 0, FIRST_SECONDS, None
            self._closed_until = float("-inf")

    def failed(self, refusal: SignerUnavailable) -> None:
        """The service did not answer, or with nothing that can be read."""
        with self._lock:
            self._failures += 1
            self._last = refusal
            # Those who were under way when it closed say nothing new.
            if self._failures < FAILURES or self._closed_until > self._clock():
                return
            self._closed_until = self._clock() + self._pause
            self._pause = min(self._pause * 2, LONGEST_SECONDS)
