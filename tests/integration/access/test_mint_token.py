"""The exchange, with a real issuer and real keys: one job, one project, once."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from access.domain.identity_token import LONGEST_TOKEN
from access.models import Issuer, Token, TrustedPublisher, UsedTokenId
from access.usecases.authenticate import authenticate
from access.usecases.collect_token_ids import collect_token_ids
from access.usecases.identify_job import Exchange
from access.usecases.mint_token import MintedToken, mint_token
from artifacts.models import Organization, Project
from kernel.actor import Actor, Grant, Permission
from kernel.audit.models import AuditRecord
from kernel.errors import Refusal
from provenance.domain.build_facts import Hosting, Witnessed
from tests.factories.ci_issuer import JWKS, CiIssuer, respond, running_issuer
from tests.factories.identity_tokens import (
    AUDIENCE,
    COMMIT,
    hmac_signed,
    jwk,
    rsa_key,
    signed,
    unsigned,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("publisher")]

Mint = Callable[..., MintedToken]


@pytest.fixture
def mint(exchange: Exchange, now: datetime) -> Mint:
    def call(identity_token: str, project: str | None = None) -> MintedToken:
        return mint_token(
            identity_token=identity_token, project=project, exchange=exchange, now=now
        )

    return call


def refusal(mint: Mint, identity_token: str, project: str | None = "acme/widget") -> Refusal:
    with pytest.raises(Refusal) as refused:
        mint(identity_token, project)
    assert Token.objects.count() == 0
    assert UsedTokenId.objects.count() == 0
    assert identity_token not in str(refused.value)
    return refused.value


def test_gives_the_job_a_token_for_the_one_project(
    mint: Mint, ci: CiIssuer, project: Project, now: datetime
) -> None:
    minted = mint(ci.token(), "acme/widget")

    actor = authenticate(secret=minted.secret, now=now)
    assert minted.project == "acme/widget"
    assert minted.secret.startswith("sru_")
    assert minted.token.expires_at == now + timedelta(minutes=15)
    assert actor.name == "ci:acme/widget#9000000001"
    assert actor.grants == {
        Grant(Permission.READ, project.id),
        Grant(Permission.UPLOAD, project.id),
    }


def test_remembers_what_the_token_witnessed(mint: Mint, ci: CiIssuer, now: datetime) -> None:
    minted = mint(ci.token(environment="release"))

    workload = authenticate(secret=minted.secret, now=now).workload
    assert workload is not None
    facts = Witnessed.from_json(workload.facts)
    assert workload.key == facts.job_key
    assert facts.commit == COMMIT
    assert facts.hosting is Hosting.HOSTED
    assert facts.issuer_name == "development"
    assert facts.environment == "release"
    assert not facts.confirmed


def test_knows_two_tokens_of_one_job_as_one_job(mint: Mint, ci: CiIssuer) -> None:
    keys = {mint(ci.token()).token.job_key for _ in range(2)}
    others = {
        mint(ci.token(**change)).token.job_key
        for change in ({"run_attempt": "2"}, {"check_run_id": "5"}, {"run_id": "5"})
    }

    assert len(keys) == 1
    assert len(keys | others) == 4


def test_never_joins_jobs_that_the_platform_does_not_tell_apart(mint: Mint, ci: CiIssuer) -> None:
    keys = {mint(ci.token(check_run_id=None)).token.job_key for _ in range(2)}

    assert len(keys) == 2


def test_finds_the_project_by_the_identity_alone(mint: Mint, ci: CiIssuer) -> None:
    assert mint(ci.token(), None).project == "acme/widget"


def test_asks_which_project_where_the_identity_has_several(
    mint: Mint, ci: CiIssuer, publisher: TrustedPublisher, other_project: Project, now: datetime
) -> None:
    _again_in(other_project, publisher, now)

    refused = refusal(mint, ci.token(), None)

    assert refused.code == "ambiguous-publisher"
    assert refused.facts == {"projects": ["acme/other", "acme/widget"]}
    assert mint(ci.token(), "acme/other").project == "acme/other"


def _again_in(project: Project, publisher: TrustedPublisher, now: datetime) -> None:
    TrustedPublisher.objects.create(
        project=project,
        issuer=publisher.issuer,
        repository_id=publisher.repository_id,
        owner_id=publisher.owner_id,
        workflow_path=publisher.workflow_path,
        created_at=now,
        created_by="user:admin",
    )


FORGERIES: list[tuple[str, Callable[[CiIssuer], str]]] = [
    ("algorithm-not-allowed", lambda ci: unsigned(ci.claims())),
    (
        "algorithm-not-allowed",
        lambda ci: hmac_signed(ci.claims(), jwk(rsa_key())["n"].encode()),
    ),
    ("unknown-issuer", lambda ci: ci.token(iss="https://evil.example")),
    ("unknown-issuer", lambda ci: ci.token(iss=ci.url + "/")),
    ("unknown-issuer", lambda ci: ci.token(iss=AUDIENCE)),
    ("unknown-key", lambda ci: signed(ci.claims(), rsa_key(), kid="key-2")),
    ("signature-invalid", lambda ci: signed(ci.claims(), rsa_key("stranger"))),
    (
        "signature-invalid",
        lambda ci: signed(ci.claims(), rsa_key("stranger"), jwk=jwk(rsa_key("stranger"))),
    ),
    ("identity-token-malformed", lambda ci: signed(ci.claims(), rsa_key(), crit=["x"])),
    ("identity-token-malformed", lambda ci: ci.token(padding="x" * LONGEST_TOKEN)),
    ("identity-token-malformed", lambda _ci: "srt_" + "0" * 36),
    ("wrong-audience", lambda ci: ci.token(aud="https://other.example")),
    ("wrong-audience", lambda ci: ci.token(aud=[AUDIENCE])),
    ("wrong-audience", lambda ci: ci.token(aud=AUDIENCE + "/x")),
    ("identity-token-expired", lambda ci: ci.token(exp=1_700_000_000)),
    ("identity-token-not-yet-valid", lambda ci: ci.token(nbf=2_900_000_000)),
    ("identity-token-lives-too-long", lambda ci: ci.token(exp=2_900_000_000)),
    ("token-id-missing", lambda ci: ci.token(jti=None)),
    ("claim-missing", lambda ci: ci.token(repository_id=None)),
    ("claim-invalid", lambda ci: ci.token(repository_id=4242)),
    ("event-not-allowed", lambda ci: ci.token(event_name="pull_request_target")),
    ("event-not-allowed", lambda ci: ci.token(event_name="workflow_run")),
    (
        "publisher-mismatch",
        lambda ci: ci.token(
            job_workflow_ref="evil/tools/.github/workflows/release.yml@refs/heads/main"
        ),
    ),
]


@pytest.mark.parametrize(("code", "forge"), FORGERIES)
def test_refuses_a_forgery_with_its_code_and_accepts_the_twin(
    mint: Mint, ci: CiIssuer, code: str, forge: Callable[[CiIssuer], str]
) -> None:
    assert refusal(mint, forge(ci)).code == code
    assert mint(ci.token(), "acme/widget").project == "acme/widget"


def test_refuses_the_key_of_another_issuer(mint: Mint, ci: CiIssuer, now: datetime) -> None:
    with running_issuer() as other:
        other.keys = {"theirs": rsa_key("other")}
        Issuer.objects.create(
            name="other", url=other.url, platform="github", is_development=True, created_at=now
        )
        forged = signed(ci.claims(), rsa_key("other"), kid="theirs")

        assert refusal(mint, forged).code == "unknown-key"
        # The other issuer's own token is good, but no publisher trusts that issuer.
        honest = signed(other.claims(), rsa_key("other"), kid="theirs")
        assert refusal(mint, honest).code == "no-matching-publisher"


def test_says_that_the_issuer_is_down(mint: Mint, ci: CiIssuer) -> None:
    ci.answers[JWKS] = lambda handler: respond(handler, b"", status=503)

    assert refusal(mint, ci.token()).code == "issuer-unavailable"


def test_refuses_the_development_issuer_where_it_is_not_allowed(
    exchange: Exchange, ci: CiIssuer, now: datetime
) -> None:
    production = Exchange(exchange.keys, AUDIENCE, allows_development_issuer=False)

    with pytest.raises(Refusal) as refused:
        mint_token(identity_token=ci.token(), project=None, exchange=production, now=now)

    assert refused.value.code == "unknown-issuer"
    assert ci.asked == []


ELSEWHERE = {
    "repository": "evil/widget",
    "repository_owner": "evil",
    "workflow_ref": "evil/widget/.github/workflows/release.yml@refs/heads/main",
    "job_workflow_ref": "evil/widget/.github/workflows/release.yml@refs/heads/main",
}


def test_refuses_an_unknown_repository_like_an_unknown_project(mint: Mint, ci: CiIssuer) -> None:
    stranger = {**ELSEWHERE, "repository_id": "1", "repository_owner_id": "2"}

    refusals = [
        refusal(mint, ci.token(**stranger), project)
        for project in ("acme/widget", "acme/absent", "absent/absent", "", "/", "a\x00/b", None)
    ]

    assert {refused.code for refused in refusals} == {"no-matching-publisher"}
    assert len({str(refused) for refused in refusals}) == 1


def test_refuses_a_known_repository_in_a_foreign_project_like_an_absent_one(
    mint: Mint, ci: CiIssuer, other_project: Project
) -> None:
    foreign = refusal(mint, ci.token(), str(other_project))
    absent = refusal(mint, ci.token(), "acme/absent")

    assert foreign.code == "no-matching-publisher"
    assert str(foreign) == str(absent)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"repository_owner_id": "78"},
            {"claim": "owner_id", "expected": "77", "found": "78"},
        ),
        (
            {
                "workflow_ref": "acme/widget/.github/workflows/evil.yml@refs/heads/main",
                "job_workflow_ref": "acme/widget/.github/workflows/evil.yml@refs/heads/main",
            },
            {
                "claim": "workflow_path",
                "expected": ".github/workflows/release.yml",
                "found": ".github/workflows/evil.yml",
            },
        ),
    ],
)
def test_names_the_first_difference_within_the_repository(
    mint: Mint, ci: CiIssuer, change: dict[str, Any], told: dict[str, str]
) -> None:
    for project in ("acme/widget", None):
        refused = refusal(mint, ci.token(**change), project)

        assert refused.code == "publisher-mismatch"
        assert refused.facts == told


def test_gives_a_renamed_repository_its_project_by_id(mint: Mint, ci: CiIssuer) -> None:
    renamed = {**ELSEWHERE, "repository_id": "4242", "repository_owner_id": "77"}

    assert mint(ci.token(**renamed), "acme/widget").project == "acme/widget"


def test_exchanges_a_token_once(mint: Mint, ci: CiIssuer) -> None:
    identity_token = ci.token()
    mint(identity_token)

    for project in (None, "acme/widget"):
        with pytest.raises(Refusal) as refused:
            mint(identity_token, project)

        assert refused.value.code == "token-id-reused"
    assert Token.objects.count() == 1


def test_refuses_another_token_with_a_used_id(mint: Mint, ci: CiIssuer) -> None:
    mint(ci.token(jti="once"))

    with pytest.raises(Refusal) as refused:
        mint(ci.token(jti="once", run_id="5"))

    assert refused.value.code == "token-id-reused"


def test_does_not_use_up_the_id_of_a_refused_token(
    mint: Mint, ci: CiIssuer, publisher: TrustedPublisher
) -> None:
    identity_token = ci.token()
    TrustedPublisher.objects.filter(pk=publisher.pk).update(owner_id="1")
    assert refusal(mint, identity_token).code == "publisher-mismatch"
    TrustedPublisher.objects.filter(pk=publisher.pk).update(owner_id="77")

    assert mint(identity_token).project == "acme/widget"


def test_tells_the_same_id_of_two_issuers_apart(
    mint: Mint, ci: CiIssuer, publisher: TrustedPublisher, now: datetime
) -> None:
    with running_issuer() as other:
        row = Issuer.objects.create(
            name="other", url=other.url, platform="github", is_development=True, created_at=now
        )
        publisher.issuer = row
        publisher.pk = None
        _again_in(publisher.project, publisher, now)

        mint(ci.token(jti="once"))
        mint(other.token(jti="once"))

    assert UsedTokenId.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_lets_one_of_eight_exchanges_at_once_win(
    exchange: Exchange, ci: CiIssuer, now: datetime
) -> None:
    identity_token = ci.token()
    barrier = threading.Barrier(8)
    outcomes: list[str] = []

    def attempt() -> None:
        try:
            barrier.wait(60)
            mint_token(identity_token=identity_token, project=None, exchange=exchange, now=now)
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

    assert sorted(outcomes) == ["minted"] + ["token-id-reused"] * 7
    assert Token.objects.count() == 1


def test_remembers_a_used_id_as_long_as_its_token_could_be_used(
    mint: Mint, ci: CiIssuer, now: datetime
) -> None:
    mint(ci.token())

    assert collect_token_ids(now=now + timedelta(minutes=60)) == 0
    assert collect_token_ids(now=now + timedelta(minutes=66)) == 1
    assert collect_token_ids(now=now + timedelta(minutes=66)) == 0


def test_writes_who_exchanged_what_into_the_audit_trail(
    mint: Mint, ci: CiIssuer, publisher: TrustedPublisher
) -> None:
    minted = mint(ci.token())

    told = AuditRecord.objects.get(action="token.mint")
    assert told.actor == "ci:acme/widget#9000000001"
    assert told.target == str(minted.token.id)
    assert told.facts["publisher"] == str(publisher.id)
    assert told.facts["commit"] == COMMIT


def test_shows_no_secret_in_logs_rows_or_repr(
    mint: Mint, ci: CiIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    identity_token = ci.token(jti="a-very-secret-token-id")
    with caplog.at_level(logging.DEBUG):
        minted = mint(identity_token)

    logged = " ".join(str(entry.__dict__) for entry in caplog.records)
    rows = [*Token.objects.values(), *UsedTokenId.objects.values(), *AuditRecord.objects.values()]
    shown = f"{logged} {rows} {minted!r} {minted}"
    assert caplog.records
    for secret in (minted.secret, identity_token, "a-very-secret-token-id"):
        assert secret not in shown


def test_gives_the_actor_nothing_outside_of_its_project(
    mint: Mint, ci: CiIssuer, other_project: Project, organization: Organization, now: datetime
) -> None:
    actor: Actor = authenticate(secret=mint(ci.token()).secret, now=now)

    assert organization.slug == "acme"
    for permission in Permission:
        assert not actor.may(permission, project=other_project.id)
        assert not actor.may(permission, project=None)
