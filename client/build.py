"""A build on the store: opened or found again, filled, sealed, waited for."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Final

from client.answers import identity as identity_of
from client.answers import member, objects
from client.blame import blame
from client.errors import BuildWasRefused, NotPublishedInTime, StoreRefused
from client.files import Hashed
from client.http import Store
from client.listing import listed_files
from client.manifest import Files, entries, stored_files
from client.outgoing import Outgoing

OPEN: Final = "open"
SEALED: Final = "sealed"
PUBLISHED: Final = "published"
REFUSED: Final = "refused"
POLL_SECONDS: Final = (0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
_CREATED: Final = 201


@dataclass(frozen=True, slots=True)
class Build:
    """A build as the store has just shown it. `is_new` when it was opened for this."""

    id: str
    state: str
    files: Files
    is_new: bool = False

    def rest_of(self, wanted: Sequence[Hashed]) -> list[Hashed]:
        """What is still to be sent; what is there with other bytes, the store will refuse."""
        return [one for one in wanted if self.files.get(one.path) != one.digest]


def open_build(store: Store, project: tuple[str, str], *, name: str, is_shared: bool) -> Build:
    """Open the job's build, or find it with the files that it has already.

    Raises:
        StoreRefused: the store does not open one for this token.
    """
    address = store.address("api", "v1", "projects", *project, "builds")
    answer = store.post(address, {"name": name, "shared": is_shared})
    document = answer.document
    identity = identity_of(document)
    if answer.status == _CREATED:
        return Build(identity, member(document, "state", str), {}, is_new=True)
    return find_build(store, identity)


def find_build(store: Store, identity: str) -> Build:
    """A build with its files. A token that may only upload sees none of them, and sends all.

    Raises:
        StoreRefused: there is no such build for this token.
    """
    try:
        document = read_build(store, identity)
    except StoreRefused as refused:
        if refused.code != "permission-missing":
            raise
        return Build(identity, OPEN, {})
    files = stored_files(listed_files(store, identity, document))
    return Build(identity, member(document, "state", str), files)


def read_build(store: Store, identity: str) -> dict[str, Any]:
    """The build's document."""
    return store.get(store.address("api", "v1", "builds", identity)).document


def send_files(
    store: Store,
    build: Build,
    files: Sequence[Hashed],
    *,
    jobs: int,
    on_bytes: Callable[[int], None],
    on_file: Callable[[Hashed], None],
) -> None:
    """Send the files, several at once. The first refusal ends it: nothing new is begun.

    Raises:
        FileChanged: a file is not any more what was hashed.
        StoreRefused, StoreUnreachable: as the store says.
    """
    pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="send")
    try:
        sending = {pool.submit(_send, store, build, one, on_bytes): one for one in files}
        for sent in as_completed(sending):
            sent.result()
            on_file(sending[sent])
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def seal_build(store: Store, identity: str, files: Files) -> dict[str, Any]:
    """Seal the build with exactly these files; again is harmless. Gives its document.

    Raises:
        StoreRefused: `build-differs`, `build-sealed` and the like, with what differs.
    """
    address = store.address("api", "v1", "builds", identity, "seal")
    return store.post(address, {"files": entries(files)}).document


def wait_until_published(
    store: Store, identity: str, *, seconds: float, on_state: Callable[[str], None]
) -> dict[str, Any]:
    """Wait for the build's publication and give its document.

    Raises:
        BuildWasRefused: it never will be.
        NotPublishedInTime: it was not in this time; the store goes on.
    """
    deadline = time.monotonic() + seconds
    pauses = chain(POLL_SECONDS, repeat(POLL_SECONDS[-1]))
    while True:
        document = read_build(store, identity)
        state = member(document, "state", str)
        if state == PUBLISHED:
            return document
        if state == REFUSED:
            raise BuildWasRefused(build=identity, refused=document.get("refused"))
        reason, pause = waiting_for(document), next(pauses)
        on_state(reason)
        if time.monotonic() + pause > deadline:
            raise NotPublishedInTime(
                build=identity, state=state, waited_seconds=seconds, waiting_for=reason
            )
        time.sleep(pause)


def waiting_for(document: Mapping[str, Any]) -> str:
    """What keeps a build from being published, in the words of its requests."""
    if document.get("state") == OPEN:
        return "it is not sealed"
    attestation = document.get("attestation")
    requests = objects(attestation.get("requests")) if isinstance(attestation, dict) else []
    errors = {_error(one) for one in requests if one.get("last_error")}
    if not errors:
        return "its attestation"
    next_times = sorted(
        str(one["next_attempt_at"]) for one in requests if one.get("next_attempt_at")
    )
    again = f"; tried again at {next_times[0]}" if next_times else ""
    return f"its attestation, after {', '.join(sorted(errors))}{again}"


def _error(request: Mapping[str, Any]) -> str:
    """Why a request waits: `signer-unavailable (rekor: not-reachable)`, as far as it is said."""
    why = ": ".join(str(request[name]) for name in ("service", "reason") if request.get(name))
    return f"{request['last_error']} ({why})" if why else str(request["last_error"])


def _send(store: Store, build: Build, one: Hashed, on_bytes: Callable[[int], None]) -> None:
    address = store.address("api", "v1", "builds", build.id, "files", path=one.path)
    outgoing = Outgoing(one.file, one.size_bytes, one.digest, on_bytes)
    try:
        store.put(address, outgoing)
    except StoreRefused as refused:
        if refused.code != "digest-mismatch":
            raise
        blame(one)
        raise
