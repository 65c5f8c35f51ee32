"""Log in: name and password in, a personal token for twelve hours out."""

import hashlib
from datetime import datetime

from django.contrib.auth import authenticate
from django.db import transaction

from access.domain.attempts import MOST_BY_ADDRESS, MOST_BY_NAME, check_attempts
from access.domain.roles import TokenScope
from access.domain.tokens import LOGIN_LIFE
from access.errors import LoginFailed, PasswordIsOneTime, TooManyAttempts
from access.models import LoginAttempt, User
from access.usecases.create_personal_token import issue
from access.usecases.create_token import CreatedToken


def log_in(*, username: str, password: str, address: str, now: datetime) -> CreatedToken:
    """Give whoever knows the password a token that may do all that the person may.

    Unknown names are answered in the same words and after the same work.

    Raises:
        TooManyAttempts: too many have failed for this name, or from this address; right or wrong,
            the password was not looked at.
        LoginFailed: name and password do not belong together, or the account is not active.
        PasswordIsOneTime: the password is right, and has to be changed before anything else.
    """
    name_sha256 = hashlib.sha256(username.encode()).hexdigest()
    # Counted before the password is looked at, so that a thousand guesses at once are as many as
    # one after the other.
    attempt = LoginAttempt.objects.create(name_sha256=name_sha256, address=address, at=now)
    try:
        _check(MOST_BY_NAME, now=now, name_sha256=name_sha256)
        _check(MOST_BY_ADDRESS, now=now, address=address)
    except TooManyAttempts:
        attempt.delete()  # or who keeps trying would keep the owner out for ever
        raise
    person = authenticate(request=None, username=username, password=password)
    if not isinstance(person, User):
        raise LoginFailed
    LoginAttempt.objects.filter(pk=attempt.pk).delete()
    if person.must_change_password:
        raise PasswordIsOneTime
    with transaction.atomic(durable=True):
        return issue(person=person, name="login", scope=TokenScope.ALL, life=LOGIN_LIFE, now=now)


def _check(most: int, *, now: datetime, **of: str) -> None:
    attempts = LoginAttempt.objects.filter(**of).order_by("-at", "-id")
    newest = attempts.values_list("at", flat=True)[: most + 1]
    check_attempts(list(newest), most=most, now=now)
