"""Log in: name and password in, a personal token for twelve hours out."""

from datetime import datetime

from django.db import transaction

from access.domain.roles import TokenScope
from access.domain.tokens import LOGIN_LIFE
from access.errors import PasswordIsOneTime
from access.usecases.create_personal_token import issue
from access.usecases.create_token import CreatedToken
from access.usecases.prove_password import prove_password


def log_in(*, username: str, password: str, address: str, now: datetime) -> CreatedToken:
    """Give whoever knows the password a token that may do all that the person may.

    Raises:
        TooManyAttempts, LoginFailed: as `prove_password`.
        PasswordIsOneTime: the password is right, and has to be changed before anything else.
    """
    person = prove_password(username=username, password=password, address=address, now=now)
    if person.must_change_password:
        raise PasswordIsOneTime
    with transaction.atomic(durable=True):
        return issue(person=person, name="login", scope=TokenScope.ALL, life=LOGIN_LIFE, now=now)
