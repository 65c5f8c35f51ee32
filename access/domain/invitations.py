"""Invitations: their secret, and how long they wait."""

import hashlib
import secrets
from datetime import timedelta
from typing import Final

LIFE: Final = timedelta(days=7)
LONGEST_INVITEE: Final = 200


def make_secret() -> str:
    """Draw a new one: 256 random bits, so that a plain hash of it is enough."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Under which the invitation is looked up."""
    return hashlib.sha256(secret.encode()).hexdigest()
