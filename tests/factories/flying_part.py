"""A part of which the bucket has half, and the rest is on its way."""

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


@contextmanager
def flying_part(url: str, headers: Mapping[str, str], body: bytes) -> Iterator[None]:
    """Half of the body is sent when this begins; the rest when it ends, and is answered then."""
    parts = urlsplit(url)
    flying = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        flying.putrequest("PUT", f"{parts.path}?{parts.query}")
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            flying.putheader(name, value)
        flying.endheaders()
        flying.send(body[: len(body) // 2])
        yield
        with suppress(http.client.HTTPException, OSError):
            flying.send(body[len(body) // 2 :])
            flying.getresponse().read()
    finally:
        flying.close()
