"""Make an administrator of the instance, with a password that is only good for choosing one."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from access.errors import AccountNotAllowed
from access.models import User
from kernel.actor import Actor, Permission
from kernel.audit.record import record


@dataclass(frozen=True, slots=True)
class CreatedAdministrator:
    """The account, and its one-time password: the only time that anybody sees it."""

    person: User
    password: str = field(repr=False)


def create_administrator(*, username: str, actor: Actor, now: datetime) -> CreatedAdministrator:
    """Make a new account that administers the instance; an existing one is never lifted.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the instance.
        AccountNotAllowed: the name cannot be given.
    """
    actor.require(Permission.ADMINISTER, project=None)
    password = secrets.token_urlsafe(18)
    person = User(
        username=User.normalize_username(username),
        is_staff=True,
        is_superuser=True,
        date_joined=now,
    )
    person.set_password(password)
    person.must_change_password = True
    try:
        person.clean_fields()
        with transaction.atomic(durable=True):
            person.save(force_insert=True)
            record(actor, "administrator.create", person.get_username(), now=now)
    except ValidationError as error:
        raise AccountNotAllowed(reasons=error.messages) from None
    except IntegrityError:
        raise AccountNotAllowed(reasons=["This name is taken."]) from None
    return CreatedAdministrator(person, password)
