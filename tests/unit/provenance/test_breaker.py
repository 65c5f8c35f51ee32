"""When a failing service is left alone, and when it is asked again."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

import pytest
from prometheus_client import REGISTRY

from provenance.adapters.sigstore_instance.breaker import Breaker
from provenance.errors import SignerUnavailable


@dataclass
class Clock:
    seconds: float = 0

    def __call__(self) -> float:
        return self.seconds


DOWN = SignerUnavailable(reason="not-reachable")


def failed(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.check()
        breaker.failed(DOWN)


def wait_of(breaker: Breaker) -> float:
    with pytest.raises(SignerUnavailable, match="service-left-alone") as refusal:
        breaker.check()
    return float(str(refusal.value.facts["retry_after_seconds"]))


def test_asks_on_until_the_third_failure() -> None:
    breaker = Breaker("rekor", clock=Clock())

    failed(breaker, 2)
    breaker.check()
    breaker.failed(DOWN)

    assert wait_of(breaker) == 5


def test_forgets_failures_that_an_answer_came_between() -> None:
    breaker = Breaker("rekor", clock=Clock())

    failed(breaker, 2)
    breaker.succeeded()
    failed(breaker, 2)

    breaker.check()


def test_waits_twice_as_long_after_each_failed_try_up_to_a_minute() -> None:
    clock = Clock()
    breaker = Breaker("rekor", clock=clock)
    failed(breaker, 3)
    waits = []

    for _ in range(6):
        waits.append(wait_of(breaker))
        clock.seconds += waits[-1]
        failed(breaker, 1)

    assert waits == [5, 10, 20, 40, 60, 60]


def goes_on(breaker: Breaker) -> bool:
    try:
        breaker.check()
    except SignerUnavailable:
        return False
    return True


@pytest.mark.parametrize("recovers", [True, False])
def test_lets_one_try_while_the_others_wait_for_how_it_went(*, recovers: bool) -> None:
    """Else a service that takes all connections and says nothing would hold every thread."""
    clock = Clock()
    breaker = Breaker("rekor", clock=clock)
    failed(breaker, 3)
    clock.seconds += 5
    breaker.check()

    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(goes_on, breaker) for _ in range(3)]
        early, _ = wait(others, timeout=0.2)
        breaker.succeeded() if recovers else breaker.failed(DOWN)

    assert not early
    assert [other.result() for other in others] == [recovers] * 3


def test_shows_what_it_leaves_alone() -> None:
    def shown() -> float | None:
        labels = {"service": "a-service"}
        return REGISTRY.get_sample_value("strongroom_signing_service_left_alone", labels)

    breaker = Breaker("a-service", clock=Clock())
    before = shown()
    failed(breaker, 3)
    during = shown()
    breaker.succeeded()

    assert (before, during, shown()) == (0, 1, 0)


def test_asks_everybody_again_after_one_answer() -> None:
    clock = Clock()
    breaker = Breaker("rekor", clock=clock)
    failed(breaker, 3)
    clock.seconds += 5

    breaker.check()
    breaker.succeeded()
    failed(breaker, 2)

    breaker.check()


def test_says_why_it_waits() -> None:
    breaker = Breaker("rekor", clock=Clock())
    failed(breaker, 3)

    with pytest.raises(SignerUnavailable) as refusal:
        breaker.check()

    assert refusal.value.facts["service"] == "rekor"
    assert refusal.value.facts["found"] == "not-reachable"
