"""What an identity token says of its own life. Nothing is verified here, and nothing relies on it.

The client reads it to renew in time; the store alone decides whether a token is good.
"""

import base64
import binascii
import json


def unverified_expiry(token: str) -> float | None:
    """The `exp` of a token as seconds since 1970; None where it cannot be read."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature (RFC 7515)
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    expiry = claims.get("exp") if isinstance(claims, dict) else None
    return float(expiry) if isinstance(expiry, int | float) else None
