"""A consumer who decides what to believe: asked, shown what changes, and never overruled."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from client.console import Console
from client.http import Store
from client.origin import Origin
from client.places import store_folder
from client.trust import ROOT_FILE, Consent, pin
from client.verification.errors import TrustRootChanged
from kernel.actor import Actor, Grant, Permission
from provenance.usecases.publish_trust_root import publish_trust_root
from tests.factories.bundles import Instance
from tests.journeys.conftest import Shop
from tests.journeys.consumer import (
    Between,
    Machine,
    between,
    expectations_of,
    root,
    trust_its_publisher,
)

STRANGER = Instance()


@dataclass(frozen=True)
class Desk:
    """A machine on which nothing is pinned, and a store in between that can lie."""

    machine: Machine
    lying: Between

    def kept(self) -> bytes | None:
        file = store_folder(self.machine.environ, Origin(self.machine.store)) / ROOT_FILE
        return file.read_bytes() if file.exists() else None


@pytest.fixture
def desk(shop: Shop, tmp_path: Path) -> Iterator[Desk]:
    with between(shop.web.url) as lying:
        machine = Machine(tmp_path, lying.url, shop.tokens.reader, {"STRONGROOM_PROJECT": ""})
        yield Desk(machine, lying)


def hex_of(content: bytes) -> str:
    return sha256(content).hexdigest()


def test_keeps_the_trust_root_whose_digest_was_named(desk: Desk) -> None:
    ended = desk.machine.run("trust", "--trust-root-sha256", hex_of(root()))
    again = desk.machine.run("trust")

    assert (ended.code, desk.kept()) == (0, root())
    assert ended.out.count("since") == 3
    assert (again.code, "this is what is pinned" in again.out) == (0, True)


def test_keeps_nothing_that_nobody_agreed_to(desk: Desk) -> None:
    unasked = desk.machine.run("trust")
    other = desk.machine.run("trust", "--trust-root-sha256", hex_of(STRANGER.trust_root()))

    assert (unasked.code, "not pinned" in unasked.err) == (1, True)
    assert hex_of(root()) in unasked.out
    assert (other.code, "trust-root-mismatch" in other.err) == (1, True)
    assert desk.kept() is None


@pytest.mark.parametrize("answer", [True, False])
def test_asks_whoever_is_there(desk: Desk, answer: bool) -> None:  # noqa: FBT001 - a table
    asked: list[str] = []

    def ask(question: str) -> bool:
        asked.append(question)
        return answer

    store = Store(Origin.parse(desk.machine.store))
    console = Console(out=io.StringIO(), err=io.StringIO())
    kept = pin(store, console, environ=desk.machine.environ, consent=Consent(ask=ask))

    assert (kept, desk.kept()) == (answer, root() if answer else None)
    assert asked == [
        f"Is this the trust root of {desk.machine.store}, as you know it from elsewhere?"
    ]


def test_replaces_nothing_by_itself(desk: Desk) -> None:
    desk.machine.run("trust", "--trust-root-sha256", hex_of(root()))
    genuine = root()
    desk.lying.forge("trust-root", lambda _body: STRANGER.trust_root())
    store = Store(Origin.parse(desk.machine.store))
    yes = Consent(ask=lambda _question: True)

    refused = desk.machine.run("trust")
    named = desk.machine.run("trust", "--trust-root-sha256", hex_of(STRANGER.trust_root()))
    unasked = desk.machine.run("trust", "--update")
    with pytest.raises(TrustRootChanged):
        pin(store, Console(err=io.StringIO()), environ=desk.machine.environ, consent=yes)

    assert (refused.code, "trust-root-changed" in refused.err) == (1, True)
    assert "KEYS WERE REPLACED" in refused.err
    assert (named.code, unasked.code, desk.kept()) == (1, 1, genuine)


def test_takes_over_a_rotation_that_was_asked_for(desk: Desk) -> None:
    before = root()
    desk.machine.run("trust", "--trust-root-sha256", hex_of(before))
    rotate(lambda old: with_log_of(old, STRANGER))

    shown = desk.machine.run("trust")
    ended = desk.machine.run("trust", "--update", "--trust-root-sha256", hex_of(root()))

    assert root() != before
    assert (shown.code, "+ signature log" in shown.err) == (1, True)
    assert "keys were only added or ended" in shown.err
    assert (ended.code, desk.kept()) == (0, root())


def rotate(change: Callable[[bytes], bytes]) -> None:
    operator = Actor("operator", frozenset({Grant(Permission.ADMINISTER)}))
    with transaction.atomic():
        publish_trust_root(document=change(root()), actor=operator, now=timezone.now())


def with_log_of(old: bytes, other: Instance) -> bytes:
    document = json.loads(old)
    document["tlogs"] += json.loads(other.trust_root())["tlogs"]
    return json.dumps(document).encode()


def test_takes_a_trust_root_from_a_file_without_the_store(desk: Desk) -> None:
    file = desk.machine.folder / "from-a-colleague.json"
    file.write_bytes(root())
    desk.lying.asked.clear()

    ended = desk.machine.run(
        "trust", "--trust-root", str(file), "--trust-root-sha256", hex_of(root())
    )

    assert (ended.code, desk.kept(), desk.lying.asked) == (0, root(), [])


def test_keeps_only_what_can_verify_something(desk: Desk) -> None:
    desk.lying.forge("trust-root", lambda _body: b"{}")

    refused = desk.machine.run("trust", "--trust-root-sha256", hex_of(b"{}"))

    assert (refused.code, "malformed-trust-root" in refused.err) == (1, True)
    assert desk.kept() is None


def test_keeps_a_projects_expectations_apart_by_store(desk: Desk, shop: Shop) -> None:
    trust_its_publisher(shop)
    named = ["--trust-root-sha256", hex_of(root()), "--project", "acme/widget"]
    shown = desk.machine.run("trust", *named)
    line = next(one for one in shown.out.splitlines() if one.startswith("expectations of"))

    ended = desk.machine.run("trust", *named, "--policy-sha256", line.rpartition(" ")[2])
    other = replace(desk.machine, store=shop.web.url).run("verify", str(__file__))

    assert (shown.code, ended.code) == (1, 0)
    assert "source: https://token.actions.githubusercontent.com repository 4242" in ended.out
    assert (other.code, "trust-root-not-pinned" in other.err) == (2, True)


def test_says_what_changed_in_a_projects_expectations(desk: Desk, shop: Shop) -> None:
    trust_its_publisher(shop)
    machine = replace(desk.machine, more={"STRONGROOM_PROJECT": "acme/widget"})
    machine.pin(policy=expectations_of(machine))
    trust_its_publisher(shop, accepts_release=True)

    refused = machine.run("trust")

    assert (refused.code, "expectations-changed" in refused.err) == (1, True)
    assert "+ release attestations: accepted" in refused.err
    assert "- release attestations: not accepted" in refused.err


def test_pins_at_the_login(desk: Desk) -> None:
    token = desk.machine.folder / "token"
    token.write_text(desk.machine.token)
    login = ["login", desk.machine.store, "--token-file", str(token)]

    ended = desk.machine.run(*login, "--trust-root-sha256", hex_of(root()))

    assert (ended.code, desk.kept()) == (0, root())
