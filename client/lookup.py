"""What a store says that it has: artifacts and bundles. Leads to follow, nothing to believe.

Addresses are made from the store's URL and ids; links in answers are not followed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from client.answers import member
from client.errors import AnswerNotUnderstood, WrongUsage
from client.http import Store
from client.listing import listed_files
from client.verification.errors import NothingOffered
from client.verification.judgement import Candidate
from client.verification.targets import Meant
from kernel.digest import MalformedDigest, Sha256

MOST_BUNDLES: Final = 64
MOST_NAMED: Final = 10
PUBLISHED: Final = "published"


@dataclass(frozen=True, slots=True)
class Offered:
    """An artifact as the store describes it."""

    artifact: UUID
    path: str
    digest: Sha256
    size_bytes: int
    build: UUID
    state: str
    yanked: str | None = None  # the reason, or nothing where only that is known


def with_digest(store: Store, project: str, digest: Sha256) -> list[Offered]:
    """The project's published artifacts with these bytes, newest first.

    Raises:
        As `Store.get`; AnswerNotUnderstood.
    """
    return [_offered(one) for one in project_artifacts(store, project, {"sha256": digest.hex})]


def at_path(store: Store, project: str, path: str) -> list[Offered]:
    """The project's published artifacts of this path, newest first."""
    found = [_offered(one) for one in project_artifacts(store, project, {"path": path})]
    return [one for one in found if one.path == path]


def of_build(store: Store, project: str, build: UUID) -> list[Offered]:
    """The files of the project's build, by path."""
    organization, _, name = project.partition("/")
    place = ("api", "v1", "projects", organization, name, "builds", str(build))
    document = store.get(store.address(*place)).document
    state = member(document, "state", str)
    listed = listed_files(store, str(build), document)
    return [
        _offered({**_mapping(one), "build": {"id": str(build), "state": state}}) for one in listed
    ]


def by_id(store: Store, project: str, artifact: UUID) -> Offered:
    """The artifact of this id, if it is one of the project.

    Raises:
        NothingOffered: it is another project's.
    """
    document = store.get(store.address("api", "v1", "artifacts", str(artifact))).document
    found = _offered(document)
    if found.artifact != artifact:
        raise AnswerNotUnderstood(expected=str(artifact), found=str(found.artifact))
    if document.get("project") != project:
        raise NothingOffered(project=project, artifact=str(artifact))
    return found


def whole_build(store: Store, project: str, build: UUID) -> list[Offered]:
    """Every file of a published build.

    Raises:
        NothingOffered: it has none that could be verified.
    """
    found = of_build(store, project, build)
    if not found or found[0].state != PUBLISHED:
        state = found[0].state if found else "empty"
        raise NothingOffered(build=str(build), state=state)
    return found


def the_one(store: Store, project: str, meant: Meant, *, newest: bool) -> Offered:
    """The artifact that is meant.

    Raises:
        NothingOffered: there is no such artifact, or it is not published.
        WrongUsage: there are several, and neither a build nor the newest is asked for.
    """
    if meant.artifact is not None:
        found = [by_id(store, project, meant.artifact)]
    elif meant.build is not None:
        found = [one for one in of_build(store, project, meant.build) if one.path == meant.path]
    else:
        found = at_path(store, project, meant.path)
    if meant.build is not None:
        found = [one for one in found if one.build == meant.build]
    published = [one for one in found if one.state == PUBLISHED]
    if not published:
        states = ", ".join(one.state for one in found) or "not there"
        raise NothingOffered(project=project, path=meant.path, state=states)
    if len({one.digest for one in published}) > 1 and not newest:
        raise WrongUsage(
            path=meant.path,
            reason="several builds have it; name one with --build, or say --newest",
            builds=[f"{one.build} sha256 {one.digest.hex}" for one in published[:MOST_NAMED]],
        )
    return published[0]


class Bundles:
    """Fetches bundles; one that many files share is fetched once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fetched: dict[UUID, Candidate] = {}

    def of(self, offered: Offered) -> list[Candidate]:
        """Every bundle that the store has about the artifact.

        Raises:
            As `Store.get`; AnswerNotUnderstood: more than any honest store has.
        """
        place = ("api", "v1", "artifacts", str(offered.artifact), "attestations")
        listed = member(self._store.get(self._store.address(*place)).document, "attestations", list)
        if len(listed) > MOST_BUNDLES:
            raise AnswerNotUnderstood(member="attestations", limit=MOST_BUNDLES, found=len(listed))
        return [self._bundle(place, _uuid(_mapping(one), "id")) for one in listed]

    def _bundle(self, place: Sequence[str], identity: UUID) -> Candidate:
        if identity not in self._fetched:
            address = self._store.address(*place, str(identity))
            self._fetched[identity] = Candidate(self._store.get(address).body, address)
        return self._fetched[identity]


def download_address(store: Store, offered: Offered) -> str:
    """Where its bytes are."""
    return store.address("api", "v1", "artifacts", str(offered.artifact), "download")


def project_artifacts(store: Store, project: str, asked: Mapping[str, str]) -> list[dict[str, Any]]:
    """The project's published artifacts of `sha256` or `path`, newest first, as the store says.

    Raises:
        As `Store.get`; AnswerNotUnderstood.
    """
    organization, _, name = project.partition("/")
    address = store.address("api", "v1", "projects", organization, name, "artifacts")
    document = store.get(f"{address}?{urlencode(asked)}").document
    return [dict(_mapping(one)) for one in member(document, "artifacts", list)]


def _offered(document: Mapping[str, Any]) -> Offered:
    build = member(document, "build", dict)
    size_bytes = member(document, "size_bytes", int)
    try:
        digest = Sha256(member(document, "sha256", str))
    except MalformedDigest as refusal:
        raise AnswerNotUnderstood(**refusal.facts) from refusal
    return Offered(
        artifact=_uuid(document, "id"),
        path=member(document, "path", str),
        digest=digest,
        size_bytes=size_bytes,
        build=_uuid(build, "id"),
        state=member(build, "state", str),
        yanked=_yanked(document),
    )


def _yanked(document: Mapping[str, Any]) -> str | None:
    """Stores of before say nothing about it."""
    mark = document.get("yanked")
    if isinstance(mark, Mapping):
        return str(mark.get("reason", ""))
    return "" if document.get("is_yanked") is True else None


def _uuid(document: Mapping[str, Any], name: str) -> UUID:
    try:
        return UUID(member(document, name, str))
    except ValueError as error:
        raise AnswerNotUnderstood(member=name, expected="a UUID") from error


def _mapping(found: object) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        raise AnswerNotUnderstood(expected="an object", found=type(found).__name__)
    return found
