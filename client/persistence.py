"""Trying again: failures that pass are waited for, a rejected token is renewed."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from client.credentials import Credentials
from client.errors import StoreRefused, StoreUnreachable
from client.schedule import Patience, is_passing

MOST_RENEWALS: Final = 5
REJECTED: Final = 401

T = TypeVar("T")
Act = Callable[[int, str | None], T]


@dataclass(slots=True)
class Persistence:
    """Does an act until it succeeds, is refused for good, or patience ends. Thread-safe.

    `on_retry` hears why something is tried again and in how many seconds.
    """

    patience: Patience = field(default_factory=Patience)
    on_retry: Callable[[str, float], None] = field(default=lambda _why, _wait: None, repr=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    _has_answered: threading.Event = field(init=False, repr=False, default_factory=threading.Event)

    def do(self, act: Act[T], credentials: Credentials) -> T:
        """Call `act(attempt, token)`, with attempts from 0 and the token of that moment.

        Raises:
            StoreRefused: for good, or still when patience ended.
            StoreUnreachable: still when patience ended.
        """
        attempt = failures = renewals = 0
        give_up = 0.0
        while True:
            token = credentials.token()
            failure: StoreRefused | StoreUnreachable
            try:
                result = act(attempt, token)
            except StoreRefused as refused:
                self._has_answered.set()
                is_rejected = refused.status == REJECTED and renewals < MOST_RENEWALS
                if is_rejected and credentials.renew(token, code=refused.code):
                    attempt, renewals = attempt + 1, renewals + 1
                    continue
                if not is_passing(refused.status, refused.code):
                    raise
                failure = refused
            except StoreUnreachable as unreachable:
                failure = unreachable
            else:
                self._has_answered.set()
                return result
            attempt, failures = attempt + 1, failures + 1
            if failures == 1:
                has_answered = self._has_answered.is_set()
                give_up = self.patience.until(self.clock(), has_answered=has_answered)
            self._wait(failure, failures, give_up)

    def _wait(
        self, failure: StoreRefused | StoreUnreachable, failures: int, give_up: float
    ) -> None:
        """Wait as long as is asked and polite, or give up."""
        is_refused = isinstance(failure, StoreRefused)
        asked = failure.retry_after if isinstance(failure, StoreRefused) else None
        wait = self.patience.wait(failures, asked=asked, draw=random.random())  # noqa: S311 - spreads clients, protects nothing
        if self.clock() + wait > give_up:
            raise failure
        why = failure.code if is_refused else str(failure.facts.get("reason", failure.code))
        self.on_retry(why, wait)
        self.sleep(wait)
