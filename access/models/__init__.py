"""Access tables, one aggregate a module."""

from access.models.issuer import Issuer, UsedTokenId
from access.models.publisher import TrustedPublisher
from access.models.token import Token, TokenKind
from access.models.user import User

__all__ = ["Issuer", "Token", "TokenKind", "TrustedPublisher", "UsedTokenId", "User"]
