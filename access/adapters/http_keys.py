"""Fetch the signing keys of issuers over HTTP: OpenID Connect Discovery, then the key set.

Everything that comes back is a stranger's until it has been bounded and checked: time, size,
redirects, and that issuer and host are the ones that the administrator named.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import certifi
import urllib3

from access.adapters.jwks import Keys, parse_keys
from access.domain.identity_token import PublicKey
from access.domain.issuers import IssuerAddress, is_reachable_safely
from access.errors import IssuerUnavailable, UnknownKey
from kernel.pinned_http import Limits, PinnedHttp, Resolver, Unanswered, system_addresses

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Known:
    """What is known of one issuer. `lock` lets one thread fetch while the others wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: Keys = field(default_factory=dict)
    fetched_at: float = float("-inf")
    failed_at: float = float("-inf")


class HttpKeySource:
    """A KeySource that remembers what it fetched, for this process."""

    def __init__(
        self,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        resolve: Resolver = system_addresses,
        certificates: str = certifi.where(),
    ) -> None:
        self._limits = limits or Limits()
        self._clock = clock
        self._http = PinnedHttp(self._limits, resolve, certificates, clock)
        self._known: dict[IssuerAddress, _Known] = {}
        self._lock = threading.Lock()

    def key(self, issuer: IssuerAddress, *, key_id: str, algorithm: str) -> PublicKey:
        """See access.ports.KeySource."""
        with self._lock:
            known = self._known.setdefault(issuer, _Known())
        found = known.keys.get((key_id, algorithm))
        if found is not None and self._is_younger(known.fetched_at, self._limits.fresh_seconds):
            return found
        # A hanging issuer holds one thread, not all of them.
        if not known.lock.acquire(timeout=self._limits.total_seconds):
            raise IssuerUnavailable(issuer=issuer.url, reason="its keys are being fetched")
        try:
            self._refresh(issuer, known, wanted=(key_id, algorithm))
            found = known.keys.get((key_id, algorithm))
        finally:
            known.lock.release()
        if found is None:
            raise UnknownKey(issuer=issuer.url, key_id=key_id, algorithm=algorithm)
        return found

    def _refresh(self, issuer: IssuerAddress, known: _Known, *, wanted: tuple[str, str]) -> None:
        """Fetch the keys when they are old, or lack the wanted one and were not fetched lately."""
        limits = self._limits
        is_fresh = self._is_younger(known.fetched_at, limits.fresh_seconds)
        was_asked_lately = self._is_younger(known.fetched_at, limits.refresh_seconds)
        if is_fresh and (wanted in known.keys or was_asked_lately):
            return
        if self._is_younger(known.failed_at, limits.failed_seconds):
            raise IssuerUnavailable(issuer=issuer.url, reason="fetching failed a moment ago")
        try:
            known.keys = self._fetch(issuer)
        except IssuerUnavailable as refusal:
            known.failed_at = self._clock()
            logger.warning("issuer keys unavailable", extra=dict(refusal.facts))
            raise
        known.fetched_at = self._clock()

    def _is_younger(self, moment: float, seconds: float) -> bool:
        return self._clock() - moment < seconds

    def _fetch(self, issuer: IssuerAddress) -> Keys:
        if not is_reachable_safely(issuer):
            raise IssuerUnavailable(issuer=issuer.url, reason="its address is not https")
        discovery_url = issuer.url.rstrip("/") + "/.well-known/openid-configuration"
        discovery = self._json(issuer, discovery_url)
        # OpenID Connect Discovery 1.0, section 4.3: must be identical.
        if not isinstance(discovery, dict) or discovery.get("issuer") != issuer.url:
            raise IssuerUnavailable(
                issuer=issuer.url, reason="its discovery document names another issuer"
            )
        keys_url = discovery.get("jwks_uri")
        if not isinstance(keys_url, str) or not _is_neighbour(keys_url, issuer):
            raise IssuerUnavailable(issuer=issuer.url, reason="its keys are on another host")
        try:
            return parse_keys(self._json(issuer, keys_url))
        except ValueError:
            raise IssuerUnavailable(
                issuer=issuer.url, reason="its key set cannot be read"
            ) from None

    def _json(self, issuer: IssuerAddress, url: str) -> object:
        try:
            return json.loads(self._http.body(issuer, url))
        except Unanswered as refused:
            where = {"address": refused.address} if refused.address else {}
            raise IssuerUnavailable(issuer=issuer.url, **where, reason=refused.reason) from refused
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise IssuerUnavailable(
                issuer=issuer.url, address=url, reason=type(error).__name__
            ) from error
        except (ValueError, RecursionError):
            raise IssuerUnavailable(
                issuer=issuer.url, address=url, reason="the answer is not JSON"
            ) from None


def _is_neighbour(url: str, issuer: IssuerAddress) -> bool:
    """Whether the address is on the issuer's own host and port, and as safe as the issuer's."""
    try:
        here, there = urlsplit(issuer.url), urlsplit(url)
        return here.scheme == there.scheme and here.netloc == there.netloc and url.isprintable()
    except ValueError:
        return False
