"""The DRF authenticators that turn credentials into an Actor."""

from rest_framework.authentication import BaseAuthentication


class TokenAuthentication(BaseAuthentication):
    """Placeholder until tokens exist."""

    def authenticate(self, _request: object) -> None:
        return None
