"""Prove a password: a name and password in, their person out; guesses are counted."""

import hashlib
from datetime import datetime

from django.contrib.auth import authenticate

from access.domain.attempts import MOST_BY_ADDRESS, MOST_BY_NAME, check_attempts
from access.errors import LoginFailed, TooManyAttempts
from access.models import LoginAttempt, User


def prove_password(*, username: str, password: str, address: str, now: datetime) -> User:
    """The person whose name and password these are; the password may be a one-time one.

    Unknown names are answered in the same words and after the same work.

    Raises:
        TooManyAttempts: too many have failed for this name, or from this address; right or wrong,
            the password was not looked at.
        LoginFailed: name and password do not belong together, or the account is not active.
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
    return person


def _check(most: int, *, now: datetime, **of: str) -> None:
    attempts = LoginAttempt.objects.filter(**of).order_by("-at", "-id")
    newest = attempts.values_list("at", flat=True)[: most + 1]
    check_attempts(list(newest), most=most, now=now)
