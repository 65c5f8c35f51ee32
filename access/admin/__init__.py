"""Windows for staff; Django finds them by this package's name."""

from access.admin import identities, people, trust

__all__ = ["identities", "people", "trust"]
