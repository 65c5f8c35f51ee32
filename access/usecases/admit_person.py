"""Admit a person whom another provider has vouched for: their account, or a new one."""

from datetime import datetime

from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from access.domain.oidc_people import OidcPerson, account_name
from access.errors import AccountDisabled, PersonUnknown
from access.models import User
from kernel.actor import Actor
from kernel.audit.record import record

_MOST_NAMESAKES = 100


def admit_person(*, person: OidcPerson, admits_new_people: bool, now: datetime) -> User:
    """The account of this issuer and subject; never one that only has the same name or e-mail.

    A new account has no password, no role and no right of staff, whatever the provider says.

    Raises:
        AccountDisabled: the account is not active.
        PersonUnknown: there is none, and this store makes none.
    """
    with transaction.atomic(durable=True):
        known = SocialAccount.objects.filter(provider=person.issuer, uid=person.subject)
        found = known.select_related("user").order_by("id").first()
        if found is None:
            if not admits_new_people:
                raise PersonUnknown(issuer=person.issuer)
            return _new(person, now=now)
    account: User = found.user
    if not account.is_active:
        raise AccountDisabled(account=account.get_username())
    return account


def _new(person: OidcPerson, *, now: datetime) -> User:
    """Of two first logins at once one meets a unique constraint, and is tried again."""
    name = _free_name(person)
    account = User.objects.create_user(name, email=person.email)
    SocialAccount.objects.create(user=account, provider=person.issuer, uid=person.subject)
    record(
        Actor(name=f"user:{name}"),
        "person.admitted",
        name,
        now=now,
        issuer=person.issuer,
        subject=person.subject,
    )
    return account


def _free_name(person: OidcPerson) -> str:
    names = [account_name(person, number) for number in range(1, _MOST_NAMESAKES)]
    taken = set(User.objects.filter(username__in=names).values_list("username", flat=True))
    free = next((name for name in names if name not in taken), None)
    if free is None:
        raise PersonUnknown(issuer=person.issuer, taken=names[0])
    return free
