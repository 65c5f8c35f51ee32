"""Access tables, one aggregate a module."""

from access.domain.tokens import TokenKind
from access.models.issuer import Issuer, UsedTokenId
from access.models.member import Invitation, LoginAttempt, Membership
from access.models.publisher import TrustedPublisher
from access.models.token import Token
from access.models.user import User

__all__ = [
    "Invitation",
    "Issuer",
    "LoginAttempt",
    "Membership",
    "Token",
    "TokenKind",
    "TrustedPublisher",
    "UsedTokenId",
    "User",
]
