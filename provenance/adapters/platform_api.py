"""One platform's API over pinned HTTP: a document, or a refusal that says why there is none.

Whatever comes back is a stranger's until its form has been checked. The credential goes into one
header, to the one configured address, and nowhere else: redirects are not followed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import urllib3

from kernel.pinned_http import OK, Answer, Limits, PinnedHttp, Unanswered
from provenance.errors import PlatformUnavailable

LIMITS: Final = Limits(total_seconds=5, size_bytes=1024 * 1024)
# A limit that lasts longer is asked about again anyway, and nobody's header parks a build for days.
LONGEST_PAUSE: Final = timedelta(hours=1)
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_TOKEN: Final = 4096
_NOT_FOUND: Final = 404
_REASONS: Final[Mapping[int, str]] = {
    401: "the API does not accept the credential",
    403: "the API does not allow to ask",
    429: "the API's rate limit is reached",
}


class Absent(Exception):
    """The API answered 404: there is no such thing, or it may not be seen."""


@dataclass(frozen=True, slots=True)
class ApiAddress:
    """Where an API is, where its credential lies, and which machines may be asked."""

    url: str
    token_file: Path | None = None
    allows_private_addresses: bool = False
    is_development: bool = False


@dataclass(slots=True)
class PlatformApi:
    """GET with the issuer's credential. Silent for as long as the API asked for."""

    address: ApiAddress
    http: PinnedHttp = field(default_factory=lambda: PinnedHttp(LIMITS))
    _quiet_until: datetime = _LONG_AGO

    def document(
        self, path: str, *, now: datetime, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The JSON object at a path below the API's address.

        Raises:
            Absent: the API answered 404.
            PlatformUnavailable: it cannot be asked, or answers nothing that can be read.
        """
        if now < self._quiet_until:
            pause = self._quiet_until - now
            raise self._unavailable("the API asked to wait", retry_after=pause)
        answer = self._answer(path, {**(headers or {}), **self._authorization()})
        if answer.status == _NOT_FOUND:
            raise Absent
        if answer.status != OK:
            raise self._refused(answer, now)
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise self._unavailable("the API's answer is not JSON") from None
        if not isinstance(document, dict):
            raise self._unavailable("the API's answer is no JSON object")
        return document

    def malformed(self, name: str) -> PlatformUnavailable:
        """The refusal for an answer that lacks a member, or has another form of it."""
        return self._unavailable(f"the API's answer has no usable {name}")

    def not_allowed(self) -> PlatformUnavailable:
        """The refusal for a 404 on the repository itself: it may be there for others."""
        return self._unavailable("the API does not show the repository to this credential")

    def _answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        try:
            return self.http.ask(self.address, self.address.url + path, headers=headers)
        except Unanswered as refused:
            raise self._unavailable(refused.reason) from refused
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unavailable(type(error).__name__) from error

    def _authorization(self) -> dict[str, str]:
        """Read at each question: an operator changes the file, and nobody restarts anything."""
        file = self.address.token_file
        if file is None:
            return {}
        try:
            token = file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise self._unavailable("the credential's file cannot be read") from error
        if not token or len(token) > _LONGEST_TOKEN or any(not "!" <= one <= "~" for one in token):
            raise self._unavailable("the credential's file holds no token")
        return {"Authorization": f"Bearer {token}"}

    def _refused(self, answer: Answer, now: datetime) -> PlatformUnavailable:
        pause = _pause(answer.headers, now)
        if pause is not None:
            self._quiet_until = now + pause
        reason = _REASONS.get(answer.status, f"the API answers with status {answer.status}")
        return self._unavailable(reason, retry_after=pause)

    def _unavailable(
        self, reason: str, *, retry_after: timedelta | None = None
    ) -> PlatformUnavailable:
        facts: dict[str, object] = {"reason": reason, "api": self.address.url}
        if retry_after is not None:
            facts["retry_after_seconds"] = round(retry_after.total_seconds())
        return PlatformUnavailable(**facts)


def _pause(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the API asks to wait: in seconds, or until the limit's reset (both platforms')."""
    seconds = _number(headers.get("retry-after"))
    if seconds is None and headers.get("x-ratelimit-remaining") == "0":
        seconds = _until(_number(headers.get("x-ratelimit-reset")), now)
    if seconds is None and headers.get("ratelimit-remaining") == "0":
        seconds = _until(_number(headers.get("ratelimit-reset")), now)
    return min(timedelta(seconds=max(seconds, 1)), LONGEST_PAUSE) if seconds is not None else None


def _until(moment: int | None, now: datetime) -> int | None:
    return moment - int(now.timestamp()) if moment is not None else None


def _number(text: str | None) -> int | None:
    is_number = text is not None and text.isascii() and text.isdigit() and len(text) <= 10  # noqa: PLR2004 - seconds since 1970
    return int(text) if is_number and text is not None else None
