"""How long the relay waits between its turns."""

import pytest

from config.management.commands.relay import LONGEST_WAIT_SECONDS, POLL_SECONDS, Health


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        (0, POLL_SECONDS),
        (1, 2 * POLL_SECONDS),
        (7, LONGEST_WAIT_SECONDS),
        (5000, LONGEST_WAIT_SECONDS),
    ],
)
def test_waits_longer_after_each_failure_but_never_too_long(failures: int, seconds: float) -> None:
    """5000: a broker that was away for a night."""
    assert Health(failures=failures).wait_seconds == seconds
