"""One store over HTTP: pooled connections, bodies of any size, refusals as exceptions.

Nothing here trusts what arrives. The bearer token goes to the store's own origin and nowhere
else; links in answers are not followed, addresses are made here from the store's URL.
"""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, SSLError

from client.answers import MAX_JSON_BYTES, MAX_PROBLEM_BYTES, Answer, refusal_in
from client.credentials import Anonymous, Credentials
from client.errors import (
    AnswerNotUnderstood,
    StoredOtherwise,
    StoreNotTrusted,
    StoreUnreachable,
)
from client.origin import CONNECT_SECONDS, Origin, pool_for
from client.outgoing import CHUNK_BYTES, FileBody, Outgoing
from client.persistence import Persistence
from client.schedule import retry_after

READ_SECONDS: Final = 60.0
SLOWEST_STORE: Final = 4 * 1024 * 1024  # bytes a second that a store takes to keep what arrived
MOST_REDIRECTS: Final = 5
FOLLOWED: Final = frozenset({301, 302, 303, 307, 308})
FIRST_REFUSAL: Final = 300
ALWAYS: Final = {"Accept-Encoding": "identity", "User-Agent": "strongroom"}
_NOBODY: Final = Anonymous()


class Incoming:
    """A body that is arriving: its status, its headers, and its bytes in pieces."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    def chunks(self) -> Iterator[bytes]:
        """The bytes as they are stored.

        Raises:
            StoreUnreachable: the transfer broke off; what was given so far is what arrived.
        """
        try:
            yield from self._response.stream(CHUNK_BYTES, decode_content=False)
        except (HTTPError, OSError) as error:
            raise StoreUnreachable(reason=_reason(error)) from error


@dataclass(frozen=True, slots=True)
class Request:
    """What to send. `body` gives it afresh for each attempt (from 0)."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Callable[[int], bytes | FileBody | None] = lambda _attempt: None
    read_seconds: float = READ_SECONDS


@dataclass(slots=True)
class Store:
    """A store's address, with who is asking. Safe to be used by several threads at once."""

    origin: Origin
    credentials: Credentials = field(default_factory=Anonymous, repr=False)
    persistence: Persistence = field(default_factory=Persistence, repr=False)
    _pool: urllib3.PoolManager = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pool = pool_for(self.origin, blocksize=CHUNK_BYTES)

    def address(self, *segments: str, path: str = "") -> str:
        """An address of the store: each segment quoted whole, then `path` with its slashes."""
        parts = [quote(segment, safe="") for segment in segments]
        if path:
            parts.append(quote(path, safe="/"))
        return "/".join((self.origin.url, *parts))

    def get(self, address: str) -> Answer:
        """GET something small.

        Raises:
            StoreRefused, StoreUnreachable, StoreNotTrusted, AnswerNotUnderstood.
        """

        def act(_attempt: int, token: str | None) -> Answer:
            with self._followed(address, {}, token) as response:
                return whole(response)

        return self.persistence.do(act, self.credentials)

    @contextmanager
    def stream(
        self, address: str, *, headers: Mapping[str, str] | None = None
    ) -> Iterator[Incoming]:
        """GET something of any size. 304 and 412 are refusals like any other.

        Raises:
            As `get`; when the transfer breaks off, `Incoming.chunks` does.
        """
        asked = headers or {}

        def act(_attempt: int, token: str | None) -> urllib3.BaseHTTPResponse:
            return self._follow(address, asked, token)

        response = self.persistence.do(act, self.credentials)
        try:
            yield Incoming(response)
        finally:
            response.close()

    def post(
        self,
        address: str,
        body: object,
        *,
        again: object = None,
        as_nobody: bool = False,
        reason: str = "",
    ) -> Answer:
        """POST a document; `again` is sent instead of it once an answer may have been lost.

        `reason` is for the store's audit trail, where the document has no place for it.

        Raises:
            As `get`.
        """

        def document(attempt: int) -> bytes:
            return json.dumps(body if again is None or attempt == 0 else again).encode()

        headers = {"Content-Type": "application/json", **_reasoned(reason)}
        request = Request("POST", address, headers, document)

        def act(attempt: int, token: str | None) -> Answer:
            return whole(self._send(request, attempt, token))

        return self.persistence.do(act, _NOBODY if as_nobody else self.credentials)

    def delete(self, address: str) -> None:
        """DELETE something; what is gone already is refused.

        Raises:
            As `get`.
        """
        request = Request("DELETE", address)
        self.persistence.do(
            lambda attempt, token: whole(self._send(request, attempt, token)), self.credentials
        )

    def put(self, address: str, outgoing: Outgoing) -> Answer:
        """PUT a file from the disk, with its length and digest declared.

        Raises:
            FileChanged: it is not any more what was hashed.
            StoredOtherwise: the store confirms another digest, or none.
            As `get`.
        """

        def act(attempt: int, token: str | None) -> Answer:
            with outgoing.opened() as body:
                headers = {"Repr-Digest": outgoing.digest.field}
                return whole(self._send(upload(address, outgoing, body, headers), attempt, token))

        answer = self.persistence.do(act, self.credentials)
        if answer.digest != outgoing.digest:
            raise StoredOtherwise(
                file=str(outgoing.file),
                sent_sha256=outgoing.digest.hex,
                confirmed_sha256=answer.digest.hex if answer.digest is not None else None,
            )
        return answer

    @contextmanager
    def _followed(
        self, address: str, headers: Mapping[str, str], token: str | None
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        response = self._follow(address, headers, token)
        try:
            yield response
        finally:
            response.close()

    def _follow(
        self, address: str, headers: Mapping[str, str], token: str | None
    ) -> urllib3.BaseHTTPResponse:
        """GET, through redirects; uploads and exchanges are never redirected."""
        url = address
        for _ in range(MOST_REDIRECTS + 1):
            request = Request("GET", url, headers)
            response = self._send(request, 0, token if self.origin.holds(url) else None)
            location = response.headers.get("Location")
            if response.status not in FOLLOWED or location is None:
                if response.status >= FIRST_REFUSAL:
                    whole(response)
                return response
            response.close()
            url = redirected(url, location)
        raise AnswerNotUnderstood(address=address, reason="too many redirects")

    def _send(self, request: Request, attempt: int, token: str | None) -> urllib3.BaseHTTPResponse:
        headers = {**ALWAYS, **request.headers}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return send_once(self._pool, request, headers, attempt=attempt, store=self.origin.url)


def send_once(
    pool: urllib3.PoolManager,
    request: Request,
    headers: Mapping[str, str],
    *,
    attempt: int,
    store: str,
) -> urllib3.BaseHTTPResponse:
    """Send it with these headers and give the answer, its body unread; nothing is followed.

    Raises:
        StoreUnreachable, StoreNotTrusted: of the server that `store` names.
    """
    try:
        return pool.urlopen(
            request.method,
            request.url,
            body=request.body(attempt),
            headers=headers,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=request.read_seconds),
            retries=False,
            redirect=False,
            preload_content=False,
        )
    except SSLError as error:
        if isinstance(error.args[0], ssl.SSLCertVerificationError):
            raise StoreNotTrusted(store=store, reason=_reason(error)) from error
        raise StoreUnreachable(store=store, reason=_reason(error)) from error
    except HTTPError as error:
        raise StoreUnreachable(store=store, reason=_reason(error)) from error


def _reasoned(reason: str) -> dict[str, str]:
    """The header that says why, on one line of ASCII."""
    line = quote(" ".join(reason.split()), safe=" ")
    return {"Strongroom-Reason": line} if line else {}


def upload(address: str, outgoing: Outgoing, body: FileBody, headers: Mapping[str, str]) -> Request:
    """A PUT of these bytes; how long its answer may take grows with them."""
    announced = {
        "Content-Length": str(outgoing.size_bytes),
        "Content-Type": "application/octet-stream",
    }
    read_seconds = READ_SECONDS + outgoing.size_bytes / SLOWEST_STORE
    return Request("PUT", address, {**announced, **headers}, lambda _attempt: body, read_seconds)


def whole(response: urllib3.BaseHTTPResponse) -> Answer:
    """All of a small answer.

    Raises:
        StoreRefused: it is a refusal.
        StoreUnreachable: it did not arrive whole.
        AnswerNotUnderstood: it is not small.
    """
    is_good = response.status < FIRST_REFUSAL
    limit = MAX_JSON_BYTES if is_good else MAX_PROBLEM_BYTES
    body = bytearray()
    try:
        for chunk in Incoming(response).chunks():
            body += chunk
            _require_small(body, limit)
    except BaseException:
        response.close()
        raise
    response.release_conn()
    answer = Answer(response.status, response.headers, bytes(body))
    if is_good:
        return answer
    refused = refusal_in(answer)
    refused.retry_after = retry_after(answer.headers, now=datetime.now(tz=UTC))
    raise refused


def _require_small(body: bytearray, limit: int) -> None:
    if len(body) > limit:
        raise AnswerNotUnderstood(reason="too large", limit_bytes=limit)


def redirected(url: str, location: str) -> str:
    """Where a redirect leads; never from https to http, never to anything but HTTP.

    Raises:
        AnswerNotUnderstood: it leads there.
    """
    target = urljoin(url, location)
    allowed = ("https",) if url.startswith("https:") else ("http", "https")
    if urlsplit(target).scheme not in allowed:
        raise AnswerNotUnderstood(address=url, reason="redirected to an unsafe address")
    return target


def _reason(error: Exception) -> str:
    """What went wrong, in one line of a person's length."""
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:300]
