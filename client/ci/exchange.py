"""A CI job's credentials: its identity token, exchanged for upload tokens as often as it takes.

No long-lived secret is involved: the platform says who the job is, and the store gives a token
for fifteen minutes. Tokens live in this process' memory only.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote, urlsplit

from client.answers import Answer, member
from client.ci.platforms import AskGithub, IdentitySource, Platform, missing
from client.ci.unverified import unverified_expiry
from client.credentials import ApiToken
from client.errors import StoreRefused
from client.http import Store
from client.origin import Origin

EARLY_SECONDS: Final = 90.0  # an upload that begins now should not meet the token's end
RENEWABLE: Final = frozenset({"token-expired", "token-unknown"})
_PURPOSE: Final = b"strongroom client secret\n"


@dataclass(frozen=True, slots=True)
class Minted:
    """An upload token, the project that it opens, and when to get the next one (store's clock)."""

    token: str = field(repr=False)
    project: str
    renew_at: float


@dataclass(slots=True)
class _Identity:
    """An identity token, with the secret that lets this job exchange it again."""

    token: str = field(repr=False)
    secret: str = field(repr=False)
    expires_at: float | None
    is_exchanged: bool = False


class JobCredentials:
    """The credentials of this CI job. `store` is only asked as nobody: the body is the proof."""

    def __init__(
        self, *, store: Store, source: IdentitySource, platform: Platform, project: str | None
    ) -> None:
        self._store, self._source, self._platform = store, source, platform
        self._project = project
        self._lock = threading.Lock()
        self._clock_ahead = 0.0  # how far the store's clock is ahead of this machine's
        self._audience = ""
        self._identity: _Identity | None = None
        self._minted: Minted | None = None

    @property
    def project(self) -> str:
        """The project that the identity opens, as the store names it."""
        return self._current().project

    def token(self) -> str:
        return self._current().token

    def renew(self, rejected: str | None, *, code: str) -> bool:
        if code not in RENEWABLE:
            return False
        with self._lock:
            if self._minted is not None and self._minted.token == rejected:
                self._minted = None
        return True

    def identity_token(self) -> str:
        """The job's identity token itself, for the pre-flight.

        Raises:
            JobTokenMissing: there is none.
        """
        with self._lock:
            return self._valid_identity().token

    def _current(self) -> Minted:
        with self._lock:
            if self._minted is None or self._now() >= self._minted.renew_at:
                self._minted = self._mint()
            return self._minted

    def _mint(self) -> Minted:
        """Exchange, or renew: a token that was exchanged before is shown with its secret."""
        identity = self._valid_identity()
        shown = self._body(identity, {"secret": identity.secret})
        digest = hashlib.sha256(identity.secret.encode()).hexdigest()
        first = shown if identity.is_exchanged else self._body(identity, {"secret_sha256": digest})
        address = self._store.address("_", "oidc", "mint-token")
        try:
            answer = self._store.post(address, first, again=shown, as_nobody=True)
        except StoreRefused as refused:
            # An earlier step of this job, or its run that was killed, has exchanged it.
            if refused.code != "token-id-reused" or identity.is_exchanged:
                raise
            answer = self._store.post(address, shown, as_nobody=True)
        identity.is_exchanged = True
        self._read_clock(answer)
        document = answer.document
        life = member(document, "expires", int) - self._now()
        return Minted(
            token=member(document, "token", str),
            project=member(document, "project", str),
            renew_at=self._now() + max(life - EARLY_SECONDS, life / 2),
        )

    def _body(self, identity: _Identity, proof: Mapping[str, str]) -> dict[str, str]:
        named = {"project": self._project} if self._project else {}
        return {"token": identity.token, **proof, **named}

    def _valid_identity(self) -> _Identity:
        """The identity token at hand, or another where that has had its time."""
        if not self._audience:
            answer = self._store.get(self._store.address("_", "oidc", "audience"))
            self._audience = member(answer.document, "audience", str)
            self._read_clock(answer)
        known = self._identity
        if known is None or (known.expires_at or 0.0) - EARLY_SECONDS / 2 <= self._now():
            self._identity = known = self._another(known)
        return known

    def _another(self, known: _Identity | None) -> _Identity:
        if isinstance(self._source, AskGithub):
            token = _from_github(self._source, self._audience, self._store)
            return _Identity(token, secrets.token_urlsafe(32), unverified_expiry(token))
        token = self._source.token
        expiry = unverified_expiry(token)
        if expiry is not None and expiry <= self._now():
            raise missing(
                self._platform,
                audience=self._audience,
                reason="the job's identity token has expired, and it gets no other",
            )
        return known or _Identity(token, secret_of(token, self._source.secret_seed), expiry)

    def _now(self) -> float:
        """The time as the store has it: a job whose clock is wrong renews in time as well."""
        return time.time() + self._clock_ahead

    def _read_clock(self, answer: Answer) -> None:
        try:
            said = parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
        except ValueError:
            return
        self._clock_ahead = said - time.time()


def secret_of(token: str, seed: str) -> str:
    """The secret with which a job exchanges its one identity token again.

    From something that all steps of the job have and nobody else: so that its next step, or the
    run after a crash, can go on. Without that, a random one that lasts as long as this process.
    """
    if not seed:
        return secrets.token_urlsafe(32)
    return hmac.new(seed.encode(), _PURPOSE + token.encode(), hashlib.sha256).hexdigest()


def _from_github(asking: AskGithub, audience: str, store: Store) -> str:
    """A new identity token of GitHub's for this audience."""
    parts = urlsplit(asking.url)
    origin = Origin.parse(f"{parts.scheme}://{parts.netloc}")
    github = Store(origin, ApiToken(asking.request_token), store.persistence)
    joint = "&" if parts.query else "?"
    try:
        answer = github.get(f"{asking.url}{joint}audience={quote(audience, safe='')}")
    except StoreRefused as refused:
        raise missing(
            Platform.GITHUB,
            audience=audience,
            reason=f"GitHub gave no identity token: {refused.code}",
        ) from refused
    return member(answer.document, "value", str)
