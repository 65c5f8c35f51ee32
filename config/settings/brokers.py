"""Which brokers the store can be given: config/broker.py says how they are spoken to."""

from typing import Final
from urllib.parse import urlsplit

SCHEMES: Final = ("redis", "rediss", "redis+socket", "amqp", "amqps")


def trouble_with_broker(url: str) -> str | None:
    """What is wrong with the address, without showing it: it holds a password."""
    scheme = urlsplit(url).scheme
    if not url or scheme in SCHEMES:
        return None
    return f"begins with {scheme!r}; one of {', '.join(SCHEMES)}"
