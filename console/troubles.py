"""What a form was sent with and cannot be taken, told where it stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trouble:
    """What was wanted and what was found; `place` is a JSON pointer (RFC 6901)."""

    place: str
    expected: str
    found: str
