"""The words in which each app describes its addresses for the API reference (OpenAPI 3.1).

An app's `api/reference` maps `"GET /api/v1/…"` to an Operation; `config/reference` writes the
document from all of them, and adds what holds everywhere: credentials, outages, strange addresses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Final

from kernel.errors import Refusal
from kernel.rest import MalformedRequest, RequestTooLarge
from kernel.shapes import DIGEST_EXAMPLE, ID_EXAMPLE, STORE, Digest, Id, Time, Url

JSON: Final = "application/json"
OCTETS: Final = "application/octet-stream"


class Reader(StrEnum):
    """For whom an operation is, first of all: the reference is ordered by them.

    One word each: the page's addresses hold them.
    """

    JOB = "Jobs"
    CONSUMER = "Consumers"
    ADMINISTRATOR = "Administrators"


class Asker(Enum):
    """Whose credentials an operation takes."""

    ANYBODY = "none are looked at"
    READER = "none for what is public"
    HOLDER = "any that allow it"
    PERSON = "a person's"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter, or a header of the request (`where`); its shape and one sentence."""

    name: str
    shape: Any
    text: str
    where: str = "query"
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """What a request brings: a serializer or another shape with an example, or bytes."""

    shape: Any
    example: Any = None
    media_type: str = JSON
    limit_bytes: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """One status that is no refusal.

    `may_have` names headers that are not always there; `also` other media types, all of them text.
    The example is made from the shape where none is given. No shape: an answer without content.
    """

    status: int
    text: str
    shape: Any = None
    example: Any = None
    media_type: str = JSON
    headers: tuple[str, ...] = ()
    may_have: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one address. `refusals` are those beyond what holds everywhere."""

    id: str
    reader: Reader
    summary: str
    answers: tuple[Answer, ...]
    text: str = ""
    asker: Asker = Asker.HOLDER
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    refusals: tuple[type[Refusal], ...] = ()


Operations = Mapping[str, Operation]

# A JSON body is read as far as its limit; what is not understood in it is named.
BODY: Final[tuple[type[Refusal], ...]] = (MalformedRequest, RequestTooLarge)

CURSOR: Final = Parameter(
    "cursor",
    str,
    "Where the page begins: as the `Link` of the page before has it. Opaque.",
)


@dataclass(frozen=True, slots=True)
class Told:
    """A header of an answer, or a parameter that many addresses have: its shape and meaning."""

    shape: Any
    text: str
    example: Any = field(default=None)


HEADERS: Final[Mapping[str, Told]] = {
    "Accept-Ranges": Told(str, "`bytes`: parts may be asked for with `Range`.", "bytes"),
    "Cache-Control": Told(str, "Who may keep the answer (RFC 9111).", "private, no-cache"),
    "Content-Disposition": Told(
        str, "The name under which a browser would keep it.", 'attachment; filename="a.tar.gz"'
    ),
    "Content-Range": Told(
        str,
        "Which bytes these are, and of how many (RFC 9110, 14.4).",
        "bytes 0-99/1280000",
    ),
    "ETag": Told(
        str,
        "The bytes themselves, for `If-None-Match` and `If-Range`.",
        f'"sha256:{DIGEST_EXAMPLE}"',
    ),
    "Last-Modified": Told(str, "When the store had all of it.", "Sat, 21 Nov 2026 08:00:00 GMT"),
    "Link": Told(
        str,
        'The next page, as `rel="next"`; with an artifact its attestations, as '
        '`rel="describedby"` (RFC 8288).',
        f'<{STORE}/api/v1/projects?cursor=YWNtZQ>; rel="next"',
    ),
    "Location": Told(Url, "Where it is.", f"{STORE}/api/v1/artifacts/{ID_EXAMPLE}"),
    "Repr-Digest": Told(
        str,
        "The SHA-256 of all of the bytes, in base64, whatever part is sent (RFC 9530).",
        "sha-256=:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=:",
    ),
    "Retry-After": Told(
        str,
        "In seconds: when it may be worth asking again.",
        "5",
    ),
    "Strongroom-Part-Of": Told(
        str,
        "The digest of the archive that a member is from, and whether all of the archive was "
        "measured for this answer.",
        "sha-256=:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=:; measured=?1",
    ),
    "Strongroom-Verification": Told(
        str,
        "What the project's policy says: `passed` with the SLSA level, or `failed` with the "
        "reason.",
        "passed; level=SLSA_BUILD_LEVEL_1",
    ),
    "Strongroom-Yanked": Told(
        str,
        "Why the artifact's project has taken it back, percent-encoded: a newer one is better.",
        "it is broken",
    ),
    "WWW-Authenticate": Told(str, "Which credentials are missing.", 'Bearer realm="strongroom"'),
    "X-Trust-Root-Version": Told(str, "The version of this trust root.", "1"),
}

PATH_PARAMETERS: Final[Mapping[str, Told]] = {
    "organization": Told(str, "An organization's name.", "acme"),
    "project": Told(str, "A project's name within its organization.", "widget"),
    "path": Told(
        str,
        "The path of a file. Slashes are part of it and are sent as they are; other special "
        "characters are percent-encoded.",
        "dist/widget-1.4.0.tar.gz",
    ),
    "build": Told(Id, "A build's id.", ID_EXAMPLE),
    "artifact": Told(Id, "An artifact's id.", ID_EXAMPLE),
    "identity": Told(str, "The id of an attestation, or of a signing key.", ID_EXAMPLE),
    "upload": Told(Id, "A direct upload's id.", ID_EXAMPLE),
    "plan": Told(Id, "A retention plan's id.", ID_EXAMPLE),
    "hold": Told(Id, "A legal hold's id.", ID_EXAMPLE),
    "preview": Told(Id, "The id of a preview of a retention policy.", ID_EXAMPLE),
    "action": Told(Id, "The id of an act on many artifacts.", ID_EXAMPLE),
    "token_id": Told(Id, "A token's id. It is no secret.", ID_EXAMPLE),
    "publisher_id": Told(Id, "A trusted publisher's id.", ID_EXAMPLE),
    "invitation": Told(Id, "An invitation's id. It is no secret.", ID_EXAMPLE),
    "member": Told(str, "A member's user name.", "carol"),
    "issuer_name": Told(str, "An issuer's short name.", "github"),
    "mode_name": Told(str, "How far the builder's facts were confirmed.", "hosted-unconfirmed"),
    "tree": Told(str, "The name of one of the log's trees.", "statements-1"),
    "version": Told(int, "A version, counted from 1.", 1),
    "name": Told(str, "A short name.", "github"),
}

RANGES: Final = tuple(
    Parameter(name, shape, text, where="header")
    for name, shape, text in (
        ("Range", str, "One part of the bytes: `bytes=0-99` (RFC 9110, 14.2)."),
        ("If-Range", str, "Send the part only of what this `ETag` names, else all of it."),
        ("If-Match", str, "Answer only where one of these `ETag`s is the artifact's."),
        ("If-None-Match", str, "Answer 304 where one of these `ETag`s is the artifact's."),
        ("If-Modified-Since", str, "Answer 304 where nothing is newer than this HTTP date."),
        ("If-Unmodified-Since", str, "Answer only where nothing is newer than this HTTP date."),
    )
)

SINCE: Final = Parameter("since", Time, "From this moment on, itself included.")
UNTIL: Final = Parameter("until", Time, "Before this moment.")
SHA256: Final = Parameter("sha256", Digest, "Of these bytes.")
PREFIX: Final = Parameter("prefix", str, "Only of paths that begin so.")
