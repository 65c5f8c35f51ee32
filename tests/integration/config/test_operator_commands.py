"""The operator's commands: a first administrator and a first token, without a Python shell."""

from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from access.models import Token, User
from access.usecases.authenticate import authenticate
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from kernel.actor import Grant, Permission
from kernel.audit.models import AuditRecord
from tests.factories.actors import administrator

pytestmark = pytest.mark.django_db
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def test_makes_an_administrator_with_a_one_time_password(capsys: Capture) -> None:
    call_command("create_admin", "ada")

    password = capsys.readouterr().out.rpartition(": ")[2].strip()
    client = Client()
    assert client.login(username="ada", password=password)
    assert client.get("/admin/")["Location"] == "/password?next=%2Fadmin%2F"
    assert AuditRecord.objects.get().actor == "operator"
    assert password not in str([*AuditRecord.objects.values()])


@pytest.mark.parametrize("name", ["taken", "", "not a name", "x" * 151])
def test_lifts_no_account_and_makes_none_that_django_would_not(name: str) -> None:
    User.objects.create_user("taken")

    with pytest.raises(CommandError, match="account-not-allowed"):
        call_command("create_admin", name)

    assert not User.objects.filter(is_superuser=True).exists()


def test_makes_a_token_for_a_project_or_for_everything(capsys: Capture, now: datetime) -> None:
    create_organization(actor=administrator(), slug="acme", now=now)
    place = create_project(
        actor=administrator(), organization="acme", slug="widget", is_public=False, now=now
    )

    call_command("create_token", "ci", "--project=acme/widget", "--permission=read")
    one = authenticate(secret=capsys.readouterr().out.strip(), now=now)
    call_command("create_token", "root", "--permission=administer", "--days=1")
    every = authenticate(secret=capsys.readouterr().out.strip(), now=now)

    assert one.grants == {Grant(Permission.READ, place.pk)}
    assert every.grants == {Grant(Permission.ADMINISTER)}
    assert Token.objects.get(name="root").expires_at < now + timedelta(days=1, minutes=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x", "--project=acme/absent", "--permission=read"], "no project"),
        (["x", "--permission=own"], "invalid choice"),
        (["x", "--permission=read", "--days=366"], "token-not-allowed"),
        (["x"], "--permission"),
    ],
)
def test_says_what_is_wrong(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("create_token", *arguments)
