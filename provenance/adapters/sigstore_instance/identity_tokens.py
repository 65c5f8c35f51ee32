"""Where the attestor's identity tokens come from: minted for each statement, or given by others.

The certificate will say who the token is about. A token from a file is about one identity only,
so that a job of another builder is refused with it: most stores want their own issuer.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import jwt
from django.db import Error as DjangoDatabaseError

from provenance.adapters.embedded.keys import KeyEncryptionKey, SigningKey, open_key, store_key
from provenance.domain.identity_issuer import ALGORITHM, key_id, token_claims
from provenance.errors import SignerUnavailable
from provenance.models import SealedKey
from provenance.ports import SigningJob
from provenance.queries import ATTESTOR_IDENTITY

Mint = Callable[[SigningJob, datetime], str]
_MOST_BYTES: Final = 64 * 1024


class IdentityTokens(Protocol):
    """Tokens for the statements of one batch."""

    def open(self) -> Mint:
        """Get ready for a batch; what is answered may be called from any thread.

        Raises:
            SignerUnavailable: there is no key, or no token.
        """
        ...


class StoreIdentities:
    """The store's own issuer: its key is sealed in a row and opened by the worker alone."""

    def __init__(self, *, key_file: Path | None, issuer: str) -> None:
        self._key_file = key_file
        self._issuer = issuer

    def open(self) -> Mint:
        kek = KeyEncryptionKey.read(self._key_file)
        try:
            row = SealedKey.objects.filter(name=ATTESTOR_IDENTITY).first()
        except DjangoDatabaseError as error:
            raise SignerUnavailable(reason="database", found=str(error)) from error
        if row is None:
            raise SignerUnavailable(reason="no-identity-key", expected="manage.py init_signer")
        return self._minting(open_key(kek, row))

    def _minting(self, key: SigningKey) -> Mint:
        header = {"kid": key_id(key.spki)}

        def mint(job: SigningJob, now: datetime) -> str:
            claims = token_claims(
                issuer=self._issuer, identity=job.identity, extensions=job.claims, now=now
            )
            return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers=header)

        return mint


def create_identity_key(kek: KeyEncryptionKey, *, now: datetime) -> None:
    """Create the issuer's key unless it exists. Joins.

    Raises:
        SignerUnavailable: it exists, sealed under another key-encryption key.
    """
    row = SealedKey.objects.filter(name=ATTESTOR_IDENTITY).first()
    if row is None:
        store_key(kek, ATTESTOR_IDENTITY, SigningKey.generate(), now=now)
    else:
        open_key(kek, row)


class FileIdentity:
    """A token that something else keeps fresh in a file, read again for each batch."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def open(self) -> Mint:
        try:
            with self._file.open("rb") as opened:
                token = opened.read(_MOST_BYTES)
        except OSError as error:
            raise SignerUnavailable(
                reason="unreadable-identity-token", file=str(self._file), found=error.strerror
            ) from error
        return GivenIdentity(token.decode(errors="replace").strip()).open()


class GivenIdentity:
    """A token that this process was started with: enough for one run of a command."""

    def __init__(self, token: str) -> None:
        self._token = token

    def open(self) -> Mint:
        return lambda _job, _now: self._token
