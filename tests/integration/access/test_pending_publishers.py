"""A publisher that names its repository: the first exchange records the ids, once and for all."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection

from access.domain.publishers import DEFAULT_WAIT, LONGEST_WAIT
from access.errors import PublisherNotAllowed
from access.models import Issuer, Token, TrustedPublisher
from access.usecases.add_publisher import NewPublisher, add_publisher
from access.usecases.check_exchange import check_exchange
from access.usecases.identify_job import Exchange
from access.usecases.mint_token import MintedToken, mint_token
from access.usecases.remove_publisher import remove_publisher
from artifacts.models import Project
from kernel.actor import Actor
from kernel.audit.models import AuditRecord
from kernel.errors import Refusal
from provenance.domain.policy import Source
from provenance.queries import current_policy
from tests.factories.ci_issuer import CiIssuer
from tests.factories.identity_tokens import COMMIT

pytestmark = pytest.mark.django_db

PATH = ".github/workflows/release.yml"
Add = Callable[..., TrustedPublisher]
Mint = Callable[..., MintedToken]
# The repository acme/widget of today, and who has its name tomorrow.
RE_CREATED = {"repository_id": "9999"}
RE_CREATED_OWNER = {"repository_id": "9999", "repository_owner_id": "88"}


def renamed(name: str) -> dict[str, str]:
    workflow = f"{name}/{PATH}@refs/heads/main"
    return {
        "repository": name,
        "repository_owner": name.partition("/")[0],
        "workflow_ref": workflow,
        "job_workflow_ref": workflow,
    }


@pytest.fixture
def add(issuer: Issuer, project: Project, admin: Actor, now: datetime) -> Add:
    def call(repository: str = "acme/widget", *, at: datetime = now, **more: Any) -> Any:
        place = more.pop("project", project)
        terms = {"workflow_path": PATH, **more}
        new = NewPublisher(issuer.name, repository=repository, **terms)
        return add_publisher(project=place, publisher=new, actor=admin, now=at)

    return call


@pytest.fixture
def mint(exchange: Exchange, now: datetime) -> Mint:
    def call(identity_token: str, *, at: datetime = now) -> MintedToken:
        return mint_token(
            identity_token=identity_token, project="acme/widget", exchange=exchange, now=at
        )

    return call


def refusal(mint: Mint, identity_token: str, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        mint(identity_token, **more)
    return refused.value


def test_records_the_ids_at_the_first_exchange(
    add: Add, mint: Mint, ci: CiIssuer, project: Project, now: datetime
) -> None:
    added = add()
    assert current_policy(scope=project.scope).sources == ()

    minted = mint(ci.token())

    added.refresh_from_db()
    assert (added.repository_id, added.owner_id) == ("4242", "77")
    assert (added.pinned_at, added.pending_until) == (now, None)
    assert minted.token.publisher_id == added.pk
    assert current_policy(scope=project.scope).sources == (Source(ci.url, "4242", "77"),)
    pinned = AuditRecord.objects.get(action="publisher.pin")
    assert pinned.actor == "ci:acme/widget#9000000001"
    assert pinned.facts["publishers"] == [str(added.pk)]
    assert pinned.facts["repository_id"] == "4242"


def test_knows_a_renamed_repository_again(add: Add, mint: Mint, ci: CiIssuer) -> None:
    add()
    assert refusal(mint, ci.token(**renamed("acme/gadget"))).code == "no-matching-publisher"
    mint(ci.token())

    minted = mint(ci.token(**renamed("acme/gadget")))

    assert minted.token.facts is not None
    assert minted.token.facts["repository"] == "acme/gadget"


@pytest.mark.parametrize("change", [RE_CREATED, RE_CREATED_OWNER])
def test_lets_a_re_created_repository_inherit_nothing(
    add: Add, mint: Mint, ci: CiIssuer, change: dict[str, str]
) -> None:
    add()
    mint(ci.token())

    refused = refusal(mint, ci.token(**change))

    assert refused.code == "no-matching-publisher"
    assert mint(ci.token()).project == "acme/widget"


def test_names_the_owner_that_a_repository_has_moved_to(add: Add, mint: Mint, ci: CiIssuer) -> None:
    add()
    mint(ci.token())

    refused = refusal(mint, ci.token(repository_owner_id="78"))

    assert refused.code == "publisher-mismatch"
    assert refused.facts == {"claim": "owner_id", "expected": "77", "found": "78"}


def test_tells_only_the_named_repository_what_else_differs(
    add: Add, mint: Mint, ci: CiIssuer
) -> None:
    add(environment="release")

    stranger = refusal(mint, ci.token(**renamed("evil/widget")))
    own = refusal(mint, ci.token())

    assert stranger.code == "no-matching-publisher"
    assert set(stranger.facts) == {
        "issuer",
        "repository",
        "repository_id",
        "owner_id",
        "workflow_path",
    }
    assert own.code == "publisher-mismatch"
    assert own.facts["claim"] == "environment"
    assert TrustedPublisher.objects.get().identity.is_pending
    assert mint(ci.token(environment="release")).project == "acme/widget"


def test_takes_names_that_differ_in_case_for_one(add: Add, mint: Mint, ci: CiIssuer) -> None:
    add("Acme/Widget")

    mint(ci.token())

    assert TrustedPublisher.objects.get().repository_id == "4242"


@pytest.mark.parametrize("name", ["acme/w\u0131dget", "acme/widget2", "acme/wid_et", "acme/%"])
def test_takes_no_other_name_for_it(
    publisher: TrustedPublisher, mint: Mint, ci: CiIssuer, now: datetime, name: str
) -> None:
    waiting = {"repository_id": "", "owner_id": "", "pending_until": now + timedelta(days=1)}
    TrustedPublisher.objects.filter(pk=publisher.pk).update(repository=name, **waiting)

    assert refusal(mint, ci.token()).code == "no-matching-publisher"


def test_waits_no_longer_than_it_was_told(
    add: Add, mint: Mint, ci: CiIssuer, now: datetime
) -> None:
    added = add(at=now - DEFAULT_WAIT)

    assert refusal(mint, ci.token()).code == "no-matching-publisher"

    again = add(at=now - DEFAULT_WAIT + timedelta(seconds=1))
    assert again.pk == added.pk
    assert mint(ci.token()).token.publisher_id == added.pk


def test_records_the_ids_for_all_that_wait_for_the_name(
    add: Add, mint: Mint, ci: CiIssuer, other_project: Project, now: datetime
) -> None:
    add()
    add(workflow_path=".github/workflows/nightly.yml")
    add(workflow_path=".github/workflows/late.yml", at=now - DEFAULT_WAIT)
    add("acme/gadget")
    add(project=other_project)

    mint(ci.token())

    pinned = TrustedPublisher.objects.filter(repository_id="4242")
    assert {one.workflow_path for one in pinned} == {PATH, ".github/workflows/nightly.yml"}
    assert TrustedPublisher.objects.filter(project=other_project, repository_id="").exists()
    assert TrustedPublisher.objects.filter(repository="acme/gadget", repository_id="").exists()


def test_asks_no_name_whose_ids_are_recorded(
    add: Add, mint: Mint, ci: CiIssuer, admin: Actor, now: datetime
) -> None:
    first = add()
    mint(ci.token())

    later = add("ACME/widget", workflow_path=".github/workflows/nightly.yml")

    assert (later.repository_id, later.owner_id) == ("4242", "77")
    assert later.pending_until is None
    for one in (first, later):
        remove_publisher(project=one.project, publisher=one.pk, actor=admin, now=now)
    assert add().repository_id == ""


def test_prefers_the_recorded_ids_to_a_name(add: Add, mint: Mint, ci: CiIssuer) -> None:
    waiting = add()
    recorded = add("", repository_id="4242", owner_id="77")

    assert mint(ci.token()).token.publisher_id == recorded.pk
    assert TrustedPublisher.objects.get(pk=waiting.pk).identity.is_pending


@pytest.mark.django_db(transaction=True)
def test_lets_one_of_two_repositories_win(
    add: Add, mint: Mint, ci: CiIssuer, project: Project
) -> None:
    add()
    barrier = threading.Barrier(6)
    answers: list[tuple[str, str]] = []

    def exchange_as(repository_id: str) -> None:
        identity_token = ci.token(repository_id=repository_id)
        barrier.wait(60)
        try:
            mint(identity_token)
            answers.append((repository_id, "minted"))
        except Refusal as refused:
            answers.append((repository_id, refused.code))
        finally:
            connection.close()

    threads = [
        threading.Thread(target=exchange_as, args=[number]) for number in ("1", "2", "3") * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    winner = TrustedPublisher.objects.get().repository_id
    assert {number for number, said in answers if said == "minted"} == {winner}
    assert {said for number, said in answers if number != winner} == {"no-matching-publisher"}
    assert len(answers) == 6
    assert current_policy(scope=project.scope).sources == (Source(ci.url, winner, "77"),)
    assert AuditRecord.objects.filter(action="publisher.pin").count() == 1


def test_records_nothing_when_the_exchange_is_refused(
    add: Add, mint: Mint, ci: CiIssuer, project: Project
) -> None:
    add()
    mint(once := ci.token())
    TrustedPublisher.objects.update(repository_id="", owner_id="", pending_until=far(project))

    assert refusal(mint, once).code == "token-id-reused"
    assert TrustedPublisher.objects.get().identity.is_pending
    assert AuditRecord.objects.filter(action="publisher.pin").count() == 1


def far(project: Project) -> datetime:
    return project.created_at + timedelta(days=1)


def test_foresees_the_verdict_that_the_exchange_will_make_true(
    add: Add, exchange: Exchange, ci: CiIssuer, now: datetime
) -> None:
    added = add()

    checked = check_exchange(
        identity_token=ci.token(), project=None, exchange=exchange, key_is_shared=True, now=now
    )

    assert checked.decision.allowed
    added.refresh_from_db()
    assert added.identity.is_pending


def test_lets_no_release_pass_once_a_publisher_is_named(
    add: Add, mint: Mint, ci: CiIssuer, project: Project
) -> None:
    assert current_policy(scope=project.scope).accepts_release

    add()

    assert not current_policy(scope=project.scope).accepts_release
    mint(ci.token())
    assert not current_policy(scope=project.scope).accepts_release


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"repository": "widget"}, "repository"),
        ({"repository": "acme/widget/more"}, "repository"),
        ({"repository": "acme/w\u0131dget"}, "repository"),
        ({"repository_id": "4242"}, "repository"),
        ({"owner_id": "77"}, "owner_id"),
        ({"repository_id": "4242", "owner_id": "77"}, "repository"),
        ({"subject": "repo:acme/widget"}, "subject"),
        ({"wait": timedelta(minutes=1)}, "wait_seconds"),
        ({"wait": LONGEST_WAIT + timedelta(seconds=1)}, "wait_seconds"),
    ],
)
def test_refuses_a_name_that_is_none_or_not_alone(
    add: Add, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(PublisherNotAllowed) as refused:
        add(**{"repository": "acme/widget", **change})

    assert refused.value.facts["field"] == field
    assert add(wait=LONGEST_WAIT).repository == "acme/widget"


def test_keeps_a_name_without_an_end_out_of_the_table(
    issuer: Issuer, project: Project, now: datetime
) -> None:
    with pytest.raises(IntegrityError, match="publisher_claims_are_given"):
        TrustedPublisher.objects.create(
            project=project,
            issuer=issuer,
            repository="acme/widget",
            workflow_path=PATH,
            created_at=now,
            created_by="x",
        )


def test_records_a_gitlab_projects_ids(add: Add, issuer: Issuer, mint: Mint, ci: CiIssuer) -> None:
    Issuer.objects.filter(pk=issuer.pk).update(platform="gitlab")
    add("acme/tools/widget", workflow_path=".gitlab-ci.yml")
    fork = ci.gitlab_token(job_project_id="555", sha=COMMIT)
    assert refusal(mint, fork).code == "fork-not-allowed"

    mint(ci.gitlab_token())

    assert TrustedPublisher.objects.get().repository_id == "4242"
    taken_over = ci.gitlab_token(project_id="555", job_project_id="555")
    assert refusal(mint, taken_over).code == "no-matching-publisher"
    assert Token.objects.count() == 1


def test_needs_no_name_of_a_generic_issuer(
    issuer: Issuer, project: Project, admin: Actor, now: datetime
) -> None:
    Issuer.objects.filter(pk=issuer.pk).update(platform="generic")
    new = NewPublisher(issuer.name, subject="job:x")
    named = replace(new, repository="acme/widget")
    with pytest.raises(PublisherNotAllowed):
        add_publisher(project=project, publisher=named, actor=admin, now=now)

    assert add_publisher(project=project, publisher=new, actor=admin, now=now).subject == "job:x"
