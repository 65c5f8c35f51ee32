"""Access tables, one aggregate a module."""

from access.domain.tokens import TokenKind
from access.models.issuer import Issuer, UsedTokenId
from access.models.publisher import TrustedPublisher
from access.models.token import Token
from access.models.user import User

__all__ = ["Issuer", "Token", "TokenKind", "TrustedPublisher", "UsedTokenId", "User"]
