"""Change one's password: whoever knows the old one chooses the next; one-time ones end so."""

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from access.errors import LoginFailed, PasswordNotAllowed
from access.models import User
from access.usecases.prove_password import prove_password
from kernel.actor import Actor
from kernel.audit.record import record


def change_password(*, current: str, new: str, address: str, actor: Actor, now: datetime) -> User:
    """Give the person who asks this password; each of their sessions ends, tokens go on.

    Guesses at the current one are counted as those of a login.

    Raises:
        Unauthenticated, PersonNeeded: no person asks, or one by a token of a narrower scope.
        TooManyAttempts, LoginFailed: as `prove_password`, of the current one.
        PasswordNotAllowed: the new one is the current one, or the store's rules turn it down.
    """
    person = User.objects.get(pk=actor.require_whole_person())
    proven = prove_password(
        username=person.get_username(), password=current, address=address, now=now
    )
    _require_allowed(new, current=current, person=proven)
    with transaction.atomic(durable=True):
        locked = User.objects.select_for_update().get(pk=proven.pk)
        if locked.password != proven.password:  # another change was faster: that one is not known
            raise LoginFailed
        locked.set_password(new)
        locked.save(update_fields=["password", "must_change_password"])
        record(actor, "password.change", locked.get_username(), now=now)
    return locked


def _require_allowed(new: str, *, current: str, person: User) -> None:
    if new == current:
        raise PasswordNotAllowed(reasons=["It is the current one."])
    try:
        validate_password(new, person)
    except ValidationError as error:
        raise PasswordNotAllowed(reasons=error.messages) from None
