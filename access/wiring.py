"""Build access' tools from settings; entry points hand them to the use cases."""

from functools import cache

from django.conf import settings

from access.adapters.http_keys import HttpKeySource
from access.ports import KeySource, OtherLogin
from access.usecases.add_issuer import InstanceRules
from access.usecases.identify_job import Exchange


@cache
def key_source() -> KeySource:
    """One for the process: it remembers the keys."""
    return HttpKeySource()


def exchange() -> Exchange:
    """What this instance exchanges identity tokens with."""
    return Exchange(
        keys=key_source(),
        audience=settings.PUBLIC_URL,
        allows_development_issuer=settings.ALLOWS_DEVELOPMENT_ISSUER,
    )


def instance_rules() -> InstanceRules:
    """What this instance allows its issuers to be."""
    return InstanceRules(
        own_url=settings.PUBLIC_URL,
        allows_development_issuer=settings.ALLOWS_DEVELOPMENT_ISSUER,
    )


def other_login() -> OtherLogin | None:
    """The provider beside passwords; None where the operator has named none."""
    if settings.LOGIN_OIDC is None:
        return None
    # Here, because allauth asks for Django's models, and the command line may have none yet.
    from access.adapters.oidc_login import OidcLogin  # noqa: PLC0415

    return OidcLogin(settings.LOGIN_OIDC)
