"""API tokens: shown once, scoped, expiring, revocable."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.domain import tokens
from access.domain.tokens import TokenKind
from access.errors import (
    TokenExpired,
    TokenMalformed,
    TokenNotAllowed,
    TokenNotFound,
    TokenRevoked,
    TokenUnknown,
)
from access.models import Token
from access.queries import administered_tokens
from access.usecases.authenticate import authenticate
from access.usecases.create_token import CreatedToken, create_token
from access.usecases.revoke_token import revoke_token
from artifacts.models import Project
from kernel.actor import ANONYMOUS, Actor, Grant, Permission, PermissionMissing, Unauthenticated
from kernel.audit.models import AuditRecord

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def created(
    project: Project | None,
    actor: Actor,
    now: datetime,
    *permissions: Permission,
    life: timedelta = HOUR,
) -> CreatedToken:
    return create_token(
        name="release bot",
        project=project,
        permissions=permissions or (Permission.UPLOAD,),
        life=life,
        actor=actor,
        now=now,
    )


def administrator_of(project: Project) -> Actor:
    return Actor("user:maintainer", frozenset({Grant(Permission.ADMINISTER, project.id)}))


def test_stands_for_what_it_was_made_for(project: Project, admin: Actor, now: datetime) -> None:
    made = created(project, admin, now, Permission.UPLOAD, Permission.READ)

    actor = authenticate(secret=made.secret, now=now)

    assert made.secret.startswith("srt_")
    assert actor.name == f"token:{made.token.id}"
    assert actor.workload is None
    assert actor.grants == {
        Grant(Permission.UPLOAD, project.id),
        Grant(Permission.READ, project.id),
    }


def test_stands_for_the_whole_instance_without_a_project(admin: Actor, now: datetime) -> None:
    made = created(None, admin, now, Permission.ADMINISTER)

    assert authenticate(secret=made.secret, now=now).grants == {Grant(Permission.ADMINISTER)}


def test_keeps_and_shows_no_secret(project: Project, admin: Actor, now: datetime) -> None:
    made = created(project, admin, now)

    rows = [*Token.objects.values(), *AuditRecord.objects.values()]
    assert made.secret not in f"{rows} {made} {made!r}"
    assert made.token.secret_sha256 == tokens.parse(made.secret).sha256


def test_refuses_those_who_do_not_administer_what_it_would_open(
    project: Project, other_project: Project, now: datetime
) -> None:
    maintainer = administrator_of(project)
    assert created(project, maintainer, now).token.project == project

    with pytest.raises(PermissionMissing):
        created(other_project, maintainer, now)
    with pytest.raises(PermissionMissing):
        created(None, maintainer, now)
    with pytest.raises(PermissionMissing):
        created(project, Actor("x", frozenset({Grant(Permission.UPLOAD, project.id)})), now)
    with pytest.raises(Unauthenticated):
        created(project, ANONYMOUS, now)


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb", "a\u202eb"])
def test_refuses_a_name_that_cannot_be_read(admin: Actor, now: datetime, name: str) -> None:
    with pytest.raises(TokenNotAllowed) as refused:
        create_token(
            name=name,
            project=None,
            permissions=[Permission.READ],
            life=HOUR,
            actor=admin,
            now=now,
        )

    assert refused.value.facts["field"] == "name"


def test_refuses_a_token_that_would_open_nothing(admin: Actor, now: datetime) -> None:
    with pytest.raises(TokenNotAllowed) as refused:
        create_token(name="x", project=None, permissions=[], life=HOUR, actor=admin, now=now)

    assert refused.value.facts["field"] == "permissions"


@pytest.mark.parametrize("days", [-1, 0, 366, 100_000])
def test_refuses_a_life_that_is_none_or_longer_than_a_year(
    admin: Actor, now: datetime, days: int
) -> None:
    assert created(None, admin, now, life=timedelta(days=365)).secret

    with pytest.raises(TokenNotAllowed) as refused:
        created(None, admin, now, life=timedelta(days=days))

    assert refused.value.facts["field"] == "expires_in"


def test_refuses_a_token_from_its_expiry_on(project: Project, admin: Actor, now: datetime) -> None:
    made = created(project, admin, now)

    assert authenticate(secret=made.secret, now=now + HOUR - timedelta(seconds=1)).grants
    with pytest.raises(TokenExpired):
        authenticate(secret=made.secret, now=now + HOUR)


def test_refuses_a_token_that_this_store_never_made(now: datetime) -> None:
    with pytest.raises(TokenUnknown) as refused:
        authenticate(secret=tokens.make(TokenKind.API).text, now=now)

    assert refused.value.facts == {}


def test_refuses_what_is_no_token_without_asking_the_database(now: datetime) -> None:
    with CaptureQueriesContext(connection) as asked, pytest.raises(TokenMalformed):
        authenticate(secret="srt_" + "0" * 36, now=now)

    assert len(asked) == 0


def test_refuses_a_revoked_token_from_then_on(
    project: Project, admin: Actor, now: datetime
) -> None:
    made = created(project, admin, now)
    assert authenticate(secret=made.secret, now=now).grants

    revoke_token(token_id=made.token.id, actor=administrator_of(project), now=now)

    with pytest.raises(TokenRevoked):
        authenticate(secret=made.secret, now=now)


def test_revokes_once_however_often_it_is_asked(
    project: Project, admin: Actor, now: datetime
) -> None:
    made = created(project, admin, now)
    first = revoke_token(token_id=made.token.id, actor=admin, now=now)

    again = revoke_token(token_id=made.token.id, actor=admin, now=now + HOUR)

    assert again.revoked_at == first.revoked_at == now
    assert AuditRecord.objects.filter(action="token.revoke").count() == 1


def test_hides_the_tokens_of_others_like_absent_ones(
    project: Project, other_project: Project, admin: Actor, now: datetime
) -> None:
    made = created(project, admin, now)
    instance_wide = created(None, admin, now)
    stranger = administrator_of(other_project)

    for token_id in (made.token.id, instance_wide.token.id, project.id):
        with pytest.raises(TokenNotFound) as refused:
            revoke_token(token_id=token_id, actor=stranger, now=now)
        assert refused.value.facts == {}
    assert not administered_tokens(actor=stranger).exists()
    assert not administered_tokens(actor=ANONYMOUS).exists()


def test_lists_what_an_administrator_administers(
    project: Project, other_project: Project, admin: Actor, now: datetime
) -> None:
    mine = created(project, admin, now).token
    theirs = created(other_project, admin, now + HOUR).token
    instance_wide = created(None, admin, now + 2 * HOUR).token

    assert list(administered_tokens(actor=administrator_of(project))) == [mine]
    assert list(administered_tokens(actor=admin)) == [instance_wide, theirs, mine]


def test_notes_the_last_use_at_most_once_a_minute(
    project: Project, admin: Actor, now: datetime
) -> None:
    made = created(project, admin, now)

    def last_use_after(seconds: int) -> datetime | None:
        authenticate(secret=made.secret, now=now + timedelta(seconds=seconds))
        return Token.objects.get(pk=made.token.pk).last_used_at

    assert last_use_after(0) == now
    assert last_use_after(59) == now
    assert last_use_after(60) == now + timedelta(seconds=60)


def test_authenticates_with_one_query_within_the_minute(
    project: Project, admin: Actor, now: datetime
) -> None:
    made = created(project, admin, now)
    authenticate(secret=made.secret, now=now)

    with CaptureQueriesContext(connection) as asked:
        authenticate(secret=made.secret, now=now)

    assert len(asked) == 1
