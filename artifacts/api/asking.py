"""From which machine a request comes."""

from django.conf import settings
from rest_framework.request import Request

from artifacts.domain.addresses import client_address


def address_of(request: Request) -> str | None:
    """The asker's address, behind the proxies that the operator named; None where unknown."""
    return client_address(
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("X-Forwarded-For", ""),
        proxies=settings.TRUSTED_PROXIES,
    )
