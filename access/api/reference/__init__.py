"""Access' part of the API reference."""

from typing import Final

from access.api.reference import audit, exchange, members, people, trust
from kernel.reference import Operations

OPERATIONS: Final[Operations] = {
    **exchange.OPERATIONS,
    **people.OPERATIONS,
    **members.OPERATIONS,
    **trust.OPERATIONS,
    **audit.OPERATIONS,
}
