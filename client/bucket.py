"""The bucket behind a store: bytes go to addresses that the store signed, without a token."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import urllib3

from client.answers import MAX_PROBLEM_BYTES
from client.errors import AnswerNotUnderstood, StoreRefused, WrongUsage
from client.http import ALWAYS, FIRST_REFUSAL, Incoming, redirected, send_once, upload
from client.origin import Origin, pool_for
from client.outgoing import CHUNK_BYTES, Outgoing

REFUSED: Final = "bucket-refused"
_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9]{1,100})</Code>")


@dataclass(frozen=True, slots=True)
class Address:
    """Where one part goes, with exactly these headers."""

    url: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class Bucket:
    """Wherever the addresses of a store lead. Safe to be used by several threads at once."""

    store: Origin
    _pools: dict[str, urllib3.PoolManager] = field(default_factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def put(self, address: Address, outgoing: Outgoing) -> None:
        """Send the bytes there, once.

        Raises:
            FileChanged: the file is shorter than it was.
            StoreUnreachable, StoreNotTrusted: of the bucket.
            StoreRefused: the bucket takes them not, or not now; `reason` is its own code.
            AnswerNotUnderstood: that is no address to send bytes to.
        """
        url = redirected(self.store.url, address.url)
        origin = _origin(url)
        with outgoing.opened() as body:
            request = upload(url, outgoing, body, address.headers)
            response = send_once(
                self._pool(origin),
                request,
                {**ALWAYS, **request.headers},
                attempt=0,
                store=origin.url,
            )
            told = _beginning(response)
            if response.status >= FIRST_REFUSAL:
                raise _refusal(response.status, told, origin)

    def _pool(self, origin: Origin) -> urllib3.PoolManager:
        with self._lock:
            if origin.url not in self._pools:
                self._pools[origin.url] = pool_for(origin, blocksize=CHUNK_BYTES)
            return self._pools[origin.url]


def _origin(url: str) -> Origin:
    parts = urlsplit(url)
    try:
        return Origin.parse(f"{parts.scheme}://{parts.netloc}")
    except WrongUsage:
        raise AnswerNotUnderstood(member="url", expected="an address of a bucket") from None


def _beginning(response: urllib3.BaseHTTPResponse) -> bytes:
    """As much of the answer as could be its reason; a connection with more of it is not kept."""
    told = bytearray()
    try:
        for chunk in Incoming(response).chunks():
            told += chunk
            if len(told) > MAX_PROBLEM_BYTES:
                response.close()
                break
    except BaseException:
        response.close()
        raise
    response.release_conn()
    return bytes(told)


def _refusal(status: int, told: bytes, origin: Origin) -> StoreRefused:
    found = _CODE.search(told)
    return StoreRefused(
        status=status,
        code=REFUSED,
        title="The bucket did not take a part of a file.",
        facts={
            "bucket": origin.url,
            "answer": status,
            "reason": found[1].decode() if found is not None else None,
        },
    )
