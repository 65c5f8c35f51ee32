"""Any other OpenID Connect issuer: it proves whom it names, and nothing of a build."""

from dataclasses import fields
from typing import Final

from access.domain.claim_rows import TEXT, Events, Row, read, required
from access.domain.identity_token import VerifiedToken
from provenance.domain.build_facts import Hosting, Platform, Witnessed

ROWS: Final[tuple[Row, ...]] = (required("sub", "subject", TEXT),)
# Claims of other names may mean anything at an issuer that we do not know: none is read.
EVENTS: Final = Events(usual=(), opt_in=())
_PROVEN: Final = {"issuer", "issuer_name", "token_id_sha256"}
_UNPROVEN: Final = {
    field.name: "" for field in fields(Witnessed) if field.type is str and field.name not in _PROVEN
}


def facts(token: VerifiedToken, issuer_name: str) -> Witnessed:
    """The facts of whoever holds the token; see `claims.witnessed_facts`."""
    return Witnessed(
        **{**_UNPROVEN, **read(ROWS, token.claims)},
        platform=Platform.GENERIC,
        issuer=token.issuer,
        issuer_name=issuer_name,
        hosting=Hosting.UNKNOWN,
        confirmed=False,
        token_id_sha256=token.token_id_sha256,
    )
