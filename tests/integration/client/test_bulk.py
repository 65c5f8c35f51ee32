"""Whoever does one act to many artifacts with `strongroom` …"""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from artifacts.domain.bulk import SELECTED_BY, Act
from artifacts.domain.fates import PATIENCE
from artifacts.models import BulkAction, BulkRun, TrashedArtifact
from artifacts.usecases.forget_lists import forget_lists
from artifacts.usecases.run_bulk_actions import run_bulk_actions
from client.commands.bulk import ACTS, FILTERS
from tests.factories.command import Command, Ran
from tests.factories.shelf import Kind, put
from tests.integration.client.test_retention import owner, shop, web
from tests.journeys.conftest import Shop

__all__ = ["owner", "shop", "web"]

NAMED = ("--confirm", "acme/widget", "--reason", "a secret is in them")


@pytest.fixture
def files(shop: Shop) -> None:
    first = timezone.now() - timedelta(days=9)
    for number in range(2):
        put(shop.project, Kind(path=f"dist/{number}", size_bytes=1024), first=first)
    put(shop.project, Kind(path="dist/held", held_to=90), first=first)
    put(shop.project, Kind(path="doc/manual", is_yanked=True), first=first)


pytestmark = pytest.mark.usefixtures("files")


def ask(owner: Command, act: str = "remove", *more: str) -> Ran:
    return owner("bulk", "ask", act, "--paths", "dist/*", *more)


def asked(owner: Command) -> str:
    document: dict[str, Any] = ask(owner, "remove", "--json").json
    return str(document["id"])


def test_sees_in_numbers_what_it_would_do(owner: Command) -> None:
    told = ask(owner)

    assert told.code == 0, told.err
    assert "remove in acme/widget: would be done to 2 artifacts, 2.0 KiB" in told.out
    assert "left as they are, held: 1" in told.out
    assert f"strongroom bulk start {BulkAction.objects.get().pk} --reason TEXT" in told.out
    assert not BulkRun.objects.exists()


def test_asks_by_whatever_the_store_selects_by(owner: Command) -> None:
    told = owner(
        *("bulk", "ask", "yank", "--no-is-yanked", "--size-from-bytes", "1000"),
        *("--refs", "refs/heads/*", "--refs", "refs/tags/*", "--outcomes", "published"),
        *("--stored-before", timezone.now().isoformat()),
    )

    assert told.code == 0, told.err
    selection = BulkAction.objects.get().selection
    assert selection["refs"] == ["refs/heads/*", "refs/tags/*"]
    assert (selection["is_yanked"], selection["size_from_bytes"]) == (False, 1000)
    assert "would be done to 2 artifacts" in told.out
    assert set(FILTERS) == set(SELECTED_BY)
    assert set(ACTS) == set(Act)


def test_lets_it_be_done_by_name_and_waits_for_the_end(owner: Command) -> None:
    action = asked(owner)

    started = owner("bulk", "start", action, *NAMED)
    run_bulk_actions(clock=timezone.now)
    ended = owner("bulk", "start", action, "--wait")
    shown = owner("bulk", "show", action, "--json")

    assert (started.code, ended.code) == (0, 0), started.err + ended.err
    assert "running: done to 0 artifacts, 0 bytes; 0 of 3 looked at" in started.out
    assert f"the store goes on: strongroom bulk show {action}" in started.out
    assert "done: done to 2 artifacts, 2.0 KiB; 3 of 3 looked at" in ended.out
    assert "left as they are, held: 1" in ended.out
    assert shown.json["run"]["outcomes"] == {"done": 2, "held": 1}
    assert TrashedArtifact.objects.count() == 2


def test_starts_nothing_without_the_name_the_number_and_a_reason(owner: Command) -> None:
    action = asked(owner)

    nobody_asked = owner("bulk", "start", action, "--reason", "so")
    no_reason = owner("bulk", "start", action, "--confirm", "acme/widget")
    other_name = owner("bulk", "start", action, "--confirm", "acme/gadget", "--reason", "so")
    other_number = owner("bulk", "start", action, *NAMED, "--artifacts", "7")

    assert (nobody_asked.code, "would be done to 2 artifacts" in nobody_asked.out) == (2, True)
    assert "option: --confirm" in nobody_asked.err
    assert (no_reason.code, "option: --reason" in no_reason.err) == (2, True)
    for refused in (other_name, other_number):
        assert (refused.code, "code: bulk-action-differs" in refused.err) == (1, True)
    assert not BulkRun.objects.exists()


def test_ends_it_early_and_is_told_so(owner: Command) -> None:
    action = asked(owner)
    owner("bulk", "start", action, *NAMED)

    cancelled = owner("bulk", "cancel", action)
    late = owner("bulk", "start", action, "--wait=0.1")
    run_bulk_actions(clock=timezone.now)
    ended = owner("bulk", "start", action, "--wait")

    assert cancelled.code == 0, cancelled.err
    assert (late.code, "code: run-not-ended-in-time" in late.err) == (4, True)
    assert (ended.code, "code: run-ended-early" in ended.err) == (1, True)
    assert f"bulk_action: {action}" in ended.err
    assert "state: cancelled" in ended.err
    assert not TrashedArtifact.objects.exists()


def test_is_told_what_was_forgotten(owner: Command) -> None:
    action = asked(owner)
    forget_lists(now=timezone.now() + PATIENCE + timedelta(minutes=1))

    shown = owner("bulk", "show", action)
    started = owner("bulk", "start", action, *NAMED)

    assert "nobody started it: its list was forgotten" in shown.out
    assert "strongroom bulk start" not in shown.out
    assert (started.code, "code: list-forgotten" in started.err) == (3, True)


@pytest.mark.parametrize("words", [("ask", "burn"), ("show", "it"), ("start", "it")], ids=" ".join)
def test_is_told_what_an_action_takes(owner: Command, words: tuple[str, ...]) -> None:
    told = owner("bulk", *words)

    assert (told.code, "code: wrong-usage" in told.err) == (2, True)
