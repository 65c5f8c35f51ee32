"""A short day on which everything breaks: what was acknowledged is published, exactly once.

The long one is `python -m tests.soak`; its table is docs/outages.md. Killed workers cost the minute
of a lease, and have their day in test_killed_anywhere.py.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import pytest

from tests.factories.private_sigstore.instance import missing_programs
from tests.factories.rabbitmq import is_installed
from tests.soak.outages import check, outages, suffer
from tests.soak.stores import Store, on_rabbitmq, on_valkey

SECONDS: Final = 3
ON_RABBITMQ: Final = ("broker refuses", "database restarted, immediate")
ON_VALKEY: Final = ("broker refuses", "fulcio answers 500", "rekor refuses", "tsa answers garbage")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def started(
    start: Callable[[Path], AbstractContextManager[Store]], factory: pytest.TempPathFactory
) -> Iterator[Store]:
    with start(factory.mktemp("outages")) as store:
        yield store


@pytest.fixture(scope="module")
def signing_itself(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if not is_installed():
        pytest.skip("RabbitMQ is not installed: .ci/run does that")
    yield from started(on_rabbitmq, tmp_path_factory)


@pytest.fixture(scope="module")
def signing_with_sigstore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if missing := missing_programs():
        pytest.skip(f"Sigstore's programs are not on PATH: .ci/run installs {', '.join(missing)}")
    yield from started(on_valkey, tmp_path_factory)


@pytest.mark.parametrize("outage", ON_RABBITMQ)
def test_loses_nothing_on_rabbitmq(signing_itself: Store, outage: str) -> None:
    row = suffer(signing_itself, outage, outages(signing_itself)[outage], seconds=SECONDS)

    check(signing_itself, row)


@pytest.mark.parametrize("outage", ON_VALKEY)
def test_loses_nothing_with_sigstore(signing_with_sigstore: Store, outage: str) -> None:
    store = signing_with_sigstore

    row = suffer(store, outage, outages(store)[outage], seconds=SECONDS)

    check(store, row)
    # Whoever waits for a build is told which service it is, and when it is tried again.
    service = outage.split(maxsplit=1)[0]
    assert service == "broker" or any(f"({service}: " in why for why in row.why), row.why
