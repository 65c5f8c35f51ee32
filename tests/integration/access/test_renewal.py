"""A job that gave the digest of a secret can go on; whoever has only its token cannot."""

import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from access.models import Token, TrustedPublisher, UsedTokenId
from access.usecases.authenticate import authenticate
from access.usecases.collect_token_ids import collect_token_ids
from access.usecases.identify_job import Exchange
from access.usecases.mint_token import ClientSecret, MintedToken, mint_token
from access.usecases.revoke_token import revoke_token
from artifacts.models import Project
from kernel.actor import Actor
from kernel.audit.models import AuditRecord
from kernel.errors import Refusal
from tests.factories.ci_issuer import CiIssuer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("publisher")]

DIGEST = hashlib.sha256(b"a secret that only the job knows").hexdigest()
GIVEN = ClientSecret(DIGEST, is_shown=False)
SHOWN = ClientSecret(DIGEST, is_shown=True)
WRONG = ClientSecret(hashlib.sha256(b"a guess").hexdigest(), is_shown=True)

Mint = Callable[..., MintedToken]


@pytest.fixture
def mint(exchange: Exchange, now: datetime) -> Mint:
    def call(
        identity_token: str,
        secret: ClientSecret | None = None,
        *,
        project: str | None = None,
        at: datetime = now,
    ) -> MintedToken:
        return mint_token(
            identity_token=identity_token,
            project=project,
            exchange=exchange,
            now=at,
            client_secret=secret,
        )

    return call


def code(mint: Mint, identity_token: str, *arguments: ClientSecret | None, **more: object) -> str:
    before = Token.objects.count()
    with pytest.raises(Refusal) as refused:
        mint(identity_token, *arguments, **more)
    assert Token.objects.count() == before
    return refused.value.code


def test_renews_for_the_same_job_until_the_token_expires(
    mint: Mint, ci: CiIssuer, now: datetime
) -> None:
    end = datetime.fromtimestamp(int(now.timestamp()) + 300, tz=UTC)
    identity_token = ci.token(exp=int(end.timestamp()))
    first = mint(identity_token, GIVEN)

    renewed = mint(identity_token, SHOWN, at=end - timedelta(seconds=1))

    assert renewed.secret != first.secret
    assert renewed.token.job_key == first.token.job_key
    assert renewed.token.facts == first.token.facts
    assert renewed.token.expires_at == end + timedelta(minutes=14, seconds=59)
    assert UsedTokenId.objects.count() == 1
    assert AuditRecord.objects.filter(action="token.renew").count() == 1
    assert code(mint, identity_token, SHOWN, at=end) == "identity-token-expired"


def test_repeats_a_lost_answer_and_a_lost_request(mint: Mint, ci: CiIssuer, now: datetime) -> None:
    """To the job both look alike: it repeats with its secret, whether the first arrived or not."""
    arrived, lost = ci.token(), ci.token()
    mint(arrived, GIVEN)

    answers = [mint(arrived, SHOWN), mint(lost, SHOWN), mint(lost, SHOWN)]

    assert len({authenticate(secret=one.secret, now=now).name for one in answers}) == 1
    assert UsedTokenId.objects.count() == 2


@pytest.mark.parametrize(
    ("first", "again"),
    [(None, SHOWN), (None, None), (None, GIVEN), (GIVEN, None), (GIVEN, GIVEN), (GIVEN, WRONG)],
)
def test_is_single_use_for_everybody_else(
    mint: Mint, ci: CiIssuer, first: ClientSecret | None, again: ClientSecret | None
) -> None:
    identity_token = ci.token()
    mint(identity_token, first)

    assert code(mint, identity_token, again) == "token-id-reused"


def test_renews_neither_for_another_job_nor_for_another_project(
    mint: Mint,
    ci: CiIssuer,
    publisher: TrustedPublisher,
    other_project: Project,
    admin: Actor,
) -> None:
    mint(ci.token(jti="once"), GIVEN)
    assert code(mint, ci.token(jti="once", check_run_id="5"), SHOWN) == "token-id-reused"
    first = publisher.pk
    publisher.pk, publisher.project, publisher.created_by = None, other_project, admin.name
    publisher.id = other_project.id
    publisher.save(force_insert=True)

    assert TrustedPublisher.objects.filter(pk=first).exists()
    assert code(mint, ci.token(jti="once"), SHOWN, project="acme/other") == "token-id-reused"
    assert mint(ci.token(jti="once"), SHOWN, project="acme/widget").project == "acme/widget"


def test_ends_with_the_publisher_and_with_a_revocation(
    mint: Mint, ci: CiIssuer, publisher: TrustedPublisher, admin: Actor, now: datetime
) -> None:
    identity_token = ci.token()
    mint(identity_token, GIVEN)
    TrustedPublisher.objects.filter(pk=publisher.pk).update(owner_id="1")
    assert code(mint, identity_token, SHOWN) == "publisher-mismatch"
    TrustedPublisher.objects.filter(pk=publisher.pk).update(owner_id="77")
    renewed = mint(identity_token, SHOWN)

    revoke_token(token_id=renewed.token.id, actor=admin, now=now)

    assert code(mint, identity_token, SHOWN) == "token-revoked"


def test_forgets_the_secret_with_the_token_id_and_keeps_the_token(
    mint: Mint, ci: CiIssuer, now: datetime
) -> None:
    minted = mint(ci.token(), GIVEN)

    assert collect_token_ids(now=now + timedelta(hours=3)) == 1
    assert Token.objects.get(pk=minted.token.pk).exchange is None


@pytest.mark.django_db(transaction=True)
def test_gives_each_of_eight_repeats_at_once_a_token(
    exchange: Exchange, ci: CiIssuer, now: datetime
) -> None:
    identity_token, barrier, outcomes = ci.token(), threading.Barrier(8), list[str]()

    def attempt() -> None:
        try:
            barrier.wait(60)
            mint_token(
                identity_token=identity_token,
                project=None,
                exchange=exchange,
                now=now,
                client_secret=SHOWN,
            )
            outcomes.append("minted")
        except Refusal as refused:
            outcomes.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes == ["minted"] * 8
    assert UsedTokenId.objects.count() == 1
