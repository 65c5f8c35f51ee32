"""Windows for staff; Django finds them by this package's name."""

from access.admin import people, trust

__all__ = ["people", "trust"]
