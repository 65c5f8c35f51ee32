"""Trust ends: a publisher is removed or distrusted, an issuer switched off or narrowed."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from access.errors import (
    IssuerNotAllowed,
    IssuerNotFound,
    PublisherNotFound,
    TokenRevoked,
)
from access.models import Issuer, Token, TrustedPublisher
from access.usecases.add_issuer import InstanceRules
from access.usecases.add_publisher import NewPublisher, add_publisher
from access.usecases.authenticate import authenticate
from access.usecases.change_issuer import IssuerLimits, change_issuer
from access.usecases.disable_issuer import disable_issuer
from access.usecases.distrust_publisher import distrust_publisher
from access.usecases.enable_issuer import enable_issuer
from access.usecases.identify_job import Exchange
from access.usecases.mint_token import MintedToken, mint_token
from access.usecases.remove_publisher import remove_publisher
from artifacts.models import Project
from kernel.actor import Actor, Grant, Permission, PermissionMissing
from kernel.audit.models import AuditRecord
from kernel.errors import Refusal
from provenance import queries as provenance
from provenance.domain.policy import Source
from tests.factories.ci_issuer import CiIssuer
from tests.factories.identity_tokens import ec_key, signed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("publisher")]

PATH = ".github/workflows/release.yml"
ADMIN = Actor("user:admin", frozenset({Grant(Permission.ADMINISTER)}))
Mint = Callable[..., MintedToken]


@pytest.fixture
def mint(exchange: Exchange, now: datetime) -> Mint:
    def call(identity_token: str) -> MintedToken:
        return mint_token(
            identity_token=identity_token, project="acme/widget", exchange=exchange, now=now
        )

    return call


def refusal(mint: Mint, identity_token: str) -> Refusal:
    with pytest.raises(Refusal) as refused:
        mint(identity_token)
    return refused.value


def is_alive(minted: MintedToken, now: datetime) -> bool:
    try:
        return authenticate(secret=minted.secret, now=now).workload is not None
    except TokenRevoked:
        return False


def test_ends_a_removed_publishers_tokens_at_once(
    mint: Mint, ci: CiIssuer, publisher: TrustedPublisher, now: datetime
) -> None:
    minted = mint(ci.token())
    assert is_alive(minted, now)

    remove_publisher(project=publisher.project, publisher=publisher.pk, actor=ADMIN, now=now)

    assert not is_alive(minted, now)
    assert refusal(mint, ci.token()).code == "no-matching-publisher"
    told = AuditRecord.objects.get(action="publisher.remove").facts
    assert told["ended_tokens"] == 1
    assert told["before"] == {
        "repository_id": "4242",
        "owner_id": "77",
        "workflow_path": PATH,
    }


def test_lets_what_a_removed_publisher_uploaded_stay_good(
    publisher: TrustedPublisher, now: datetime
) -> None:
    before = provenance.current_policy(scope=publisher.project.scope)

    remove_publisher(project=publisher.project, publisher=publisher.pk, actor=ADMIN, now=now)

    assert provenance.current_policy(scope=publisher.project.scope) == before
    assert before.sources == (Source(publisher.issuer.url, "4242", "77"),)


def test_keeps_a_removed_publishers_source_when_another_is_added(
    publisher: TrustedPublisher, now: datetime
) -> None:
    project, issuer = publisher.project, publisher.issuer
    remove_publisher(project=project, publisher=publisher.pk, actor=ADMIN, now=now)

    other = NewPublisher(issuer.name, "4343", "77", PATH)
    add_publisher(project=project, publisher=other, actor=ADMIN, now=now)

    sources = provenance.current_policy(scope=project.scope).sources
    assert {source.repository_id for source in sources} == {"4242", "4343"}


def test_distrusts_a_repository_with_all_its_publishers(
    mint: Mint, ci: CiIssuer, publisher: TrustedPublisher, now: datetime
) -> None:
    project, issuer = publisher.project, publisher.issuer
    for repository_id, path in (("4242", "nightly"), ("4343", "release")):
        new = NewPublisher(issuer.name, repository_id, "77", f".github/workflows/{path}.yml")
        add_publisher(project=project, publisher=new, actor=ADMIN, now=now)
    minted, other = mint(ci.token()), mint(ci.token(repository_id="4343"))

    removed = distrust_publisher(project=project, publisher=publisher.pk, actor=ADMIN, now=now)

    assert removed == 2
    assert not is_alive(minted, now)
    assert is_alive(other, now)
    policy = provenance.current_policy(scope=project.scope)
    assert policy.sources == (Source(issuer.url, "4343", "77"),)
    assert not policy.accepts_release


def test_lets_nothing_pass_once_the_last_source_is_distrusted(
    publisher: TrustedPublisher, now: datetime
) -> None:
    distrust_publisher(project=publisher.project, publisher=publisher.pk, actor=ADMIN, now=now)

    policy = provenance.current_policy(scope=publisher.project.scope)
    assert policy.sources == ()
    assert not policy.accepts_release


@pytest.mark.parametrize("verb", [remove_publisher, distrust_publisher])
def test_ends_trust_only_for_administrators_of_the_project(
    verb: Callable[..., object],
    publisher: TrustedPublisher,
    other_project: Project,
    now: datetime,
) -> None:
    stranger = Actor("x", frozenset({Grant(Permission.ADMINISTER, other_project.id)}))

    with pytest.raises(PermissionMissing):
        verb(project=publisher.project, publisher=publisher.pk, actor=stranger, now=now)
    with pytest.raises(PublisherNotFound):
        verb(project=other_project, publisher=publisher.pk, actor=stranger, now=now)
    with pytest.raises(PublisherNotFound):
        verb(project=publisher.project, publisher=uuid4(), actor=ADMIN, now=now)
    assert TrustedPublisher.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ends", ["publisher", "issuer"])
def test_leaves_no_live_token_however_the_two_race(
    mint: Mint,
    ci: CiIssuer,
    publisher: TrustedPublisher,
    now: datetime,
    ends: str,
) -> None:
    identity_tokens = [ci.token() for _ in range(8)]
    barrier = threading.Barrier(9)
    answers: list[str] = []

    def exchange_one(identity_token: str) -> None:
        barrier.wait(60)
        try:
            mint(identity_token)
            answers.append("minted")
        except Refusal as refused:
            answers.append(refused.code)
        finally:
            connection.close()

    def end() -> None:
        barrier.wait(60)
        try:
            if ends == "publisher":
                place = publisher.project
                remove_publisher(project=place, publisher=publisher.pk, actor=ADMIN, now=now)
            else:
                disable_issuer(name=publisher.issuer.name, actor=ADMIN, now=now)
        finally:
            connection.close()

    threads = [threading.Thread(target=exchange_one, args=[one]) for one in identity_tokens]
    threads.append(threading.Thread(target=end))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 8
    assert set(answers) <= {"minted", "no-matching-publisher", "issuer-disabled"}
    assert Token.objects.count() == answers.count("minted")
    assert not Token.objects.filter(revoked_at=None).exists()


def test_exchanges_nothing_of_an_issuer_that_is_off(
    mint: Mint, ci: CiIssuer, issuer: Issuer, now: datetime
) -> None:
    minted, waiting = mint(ci.token()), ci.token()
    asked = len(ci.asked)

    disable_issuer(name=issuer.name, actor=ADMIN, now=now)
    disable_issuer(name=issuer.name, actor=ADMIN, now=now + timedelta(minutes=1))

    assert refusal(mint, waiting).code == "issuer-disabled"
    assert refusal(mint, signed(ci.claims(), ec_key("stranger"))).code == "issuer-disabled"
    assert len(ci.asked) == asked
    assert not is_alive(minted, now)
    told = AuditRecord.objects.get(action="issuer.disable").facts
    assert told["ended_tokens"] == 1

    enable_issuer(name=issuer.name, actor=ADMIN, now=now)

    assert mint(waiting).project == "acme/widget"
    assert not is_alive(minted, now)
    assert AuditRecord.objects.filter(action="issuer.enable").count() == 1


def test_judges_what_an_issuer_attested_before_as_ever(
    issuer: Issuer, publisher: TrustedPublisher, now: datetime
) -> None:
    state = provenance.trust_state()
    policy = provenance.current_policy(scope=publisher.project.scope)

    disable_issuer(name=issuer.name, actor=ADMIN, now=now)

    assert provenance.trust_state() == state
    assert provenance.current_policy(scope=publisher.project.scope) == policy


@pytest.mark.parametrize(
    ("limits", "changed"),
    [
        (IssuerLimits(algorithms=("ES256", "ES256")), {"algorithms": ["ES256"]}),
        (IssuerLimits(longest_life=timedelta(minutes=5)), {"longest_life_seconds": 300}),
        (IssuerLimits(allows_private_addresses=True), {"allows_private_addresses": True}),
        (IssuerLimits(), {}),
    ],
)
def test_changes_the_limits_of_an_issuer(
    issuer: Issuer,
    rules: InstanceRules,
    now: datetime,
    limits: IssuerLimits,
    changed: dict[str, Any],
) -> None:
    before = {name: getattr(issuer, name) for name in changed}

    change_issuer(name=issuer.name, limits=limits, rules=rules, actor=ADMIN, now=now)

    issuer.refresh_from_db()
    assert {name: getattr(issuer, name) for name in changed} == changed
    told = AuditRecord.objects.filter(action="issuer.change").first()
    assert (told is not None) == bool(changed)
    if told is not None:
        assert {name: told.facts["before"][name] for name in changed} == before
        assert {name: told.facts["after"][name] for name in changed} == changed


def test_holds_the_next_exchange_to_the_new_limits(
    mint: Mint, ci: CiIssuer, issuer: Issuer, rules: InstanceRules, now: datetime
) -> None:
    limits = IssuerLimits(longest_life=timedelta(minutes=4))
    assert mint(ci.token()).project == "acme/widget"

    change_issuer(name=issuer.name, limits=limits, rules=rules, actor=ADMIN, now=now)

    assert refusal(mint, ci.token()).code == "identity-token-lives-too-long"


@pytest.mark.parametrize(
    "limits",
    [
        IssuerLimits(algorithms=()),
        IssuerLimits(algorithms=("HS256",)),
        IssuerLimits(longest_life=timedelta(seconds=59)),
        IssuerLimits(longest_life=timedelta(days=2)),
    ],
)
def test_refuses_limits_that_no_issuer_may_have(
    issuer: Issuer, rules: InstanceRules, now: datetime, limits: IssuerLimits
) -> None:
    with pytest.raises(IssuerNotAllowed):
        change_issuer(name=issuer.name, limits=limits, rules=rules, actor=ADMIN, now=now)

    before = Issuer.objects.get()
    assert (before.algorithms, before.longest_life_seconds) == (
        issuer.algorithms,
        issuer.longest_life_seconds,
    )


def test_lets_only_administrators_of_the_instance_change_issuers(
    issuer: Issuer, rules: InstanceRules, project: Project, now: datetime
) -> None:
    maintainer = Actor("x", frozenset({Grant(Permission.ADMINISTER, project.id)}))
    limits = IssuerLimits(algorithms=("ES256",))

    for name in (issuer.name, "absent"):
        with pytest.raises(PermissionMissing):
            change_issuer(name=name, limits=limits, rules=rules, actor=maintainer, now=now)
        for verb in (disable_issuer, enable_issuer):
            with pytest.raises(PermissionMissing):
                verb(name=name, actor=maintainer, now=now)
    with pytest.raises(IssuerNotFound):
        disable_issuer(name="absent", actor=ADMIN, now=now)


def test_switches_an_issuer_on_the_command_line(issuer: Issuer) -> None:
    call_command("disable_issuer", issuer.name, stdout=StringIO())
    assert Issuer.objects.filter(disabled_at__isnull=False).exists()

    call_command("enable_issuer", issuer.name, stdout=StringIO())
    assert Issuer.objects.filter(disabled_at=None).exists()
    with pytest.raises(CommandError):
        call_command("disable_issuer", "absent", stdout=StringIO())
