"""Whether the time of a 404 tells a foreign thing from an absent one, and the test behind the word.

2,000 interleaved requests for each address against the real web server: medians, and the
Mann-Whitney U test with the normal approximation. |z| below 3 says that no difference was seen.
"""

import http.client
import math
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

REQUESTS: Final = 2_000
SEED: Final = 20261121
TELLING: Final = 3.0


@dataclass(frozen=True)
class Compared:
    """Seconds of both kinds, and how far their ranks are apart."""

    foreign: float
    absent: float
    z: float

    def __str__(self) -> str:
        return (
            f"foreign {self.foreign * 1e6:.0f} us, absent {self.absent * 1e6:.0f} us,"
            f" Mann-Whitney z {self.z:+.2f}"
        )


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> float:
    """The standard score of U: how unlikely the order of both samples is if they are of one kind.

    All values are ranked together, equal ones by their mean rank; U counts, over all pairs, how
    often the first is the larger. Without a difference U has the mean n*m/2.
    """
    pooled = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    n, m, size = len(first), len(second), len(pooled)
    rank_sum, ties, start = 0.0, 0, 0
    while start < size:
        end = start
        while end < size and pooled[end][0] == pooled[start][0]:
            end += 1
        rank = (start + 1 + end) / 2
        rank_sum += rank * sum(1 for _, sample in pooled[start:end] if sample == 0)
        ties += (end - start) ** 3 - (end - start)
        start = end
    u = rank_sum - n * (n + 1) / 2
    variance = n * m / 12 * ((size + 1) - ties / (size * (size - 1)))
    return (u - n * m / 2) / math.sqrt(variance) if variance else 0.0


def compare(
    connection: http.client.HTTPConnection, *, foreign: str, absent: str, headers: Mapping[str, str]
) -> Compared:
    """Ask for both in one random order, over one connection."""
    order = [foreign, absent] * (REQUESTS // 2)
    random.Random(SEED).shuffle(order)  # noqa: S311 - an order, no secret
    for path in order[:100]:  # warm up
        _ask(connection, path, headers)
    seconds: dict[str, list[float]] = {foreign: [], absent: []}
    for path in order:
        seconds[path].append(_ask(connection, path, headers))
    return Compared(
        statistics.median(seconds[foreign]),
        statistics.median(seconds[absent]),
        mann_whitney(seconds[foreign], seconds[absent]),
    )


def _ask(connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> float:
    started = time.perf_counter()
    connection.request("GET", path, headers=dict(headers))
    response = connection.getresponse()
    response.read()
    taken = time.perf_counter() - started
    assert response.status == http.HTTPStatus.NOT_FOUND, (path, response.status)
    return taken
