"""What a person decided to believe, and keeps: a store's trust root, a project's expectations.

Nothing here is replaced without being asked, and `pull` and `verify` only ever read
(docs/adr/0014-pinned-trust.md).
"""

import hashlib
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from client.console import Console
from client.errors import SettingsMissing, WrongUsage
from client.http import Store
from client.origin import Origin
from client.person import ask
from client.places import store_folder, write_private
from client.verification.errors import (
    ExpectationsChanged,
    TrustRootChanged,
    TrustRootMismatch,
    TrustRootNotPinned,
)
from client.verification.trust_root import differences, keys_of, only_adds, summary
from kernel.errors import Refusal
from provenance.domain.expectations import ProjectExpectations, read_expectations

ROOT_FILE: Final = "trusted_root.json"
# Where a store has no managed signing keys, this is the very trusted_root.json of other tools.
ROOT_NAME: Final = "strongroom-trust-root.json"
TRUST_ROOT_VARIABLE: Final = "STRONGROOM_TRUST_ROOT"
POLICY_VARIABLE: Final = "STRONGROOM_POLICY"
HOW_TO_PIN: Final = (
    "compare the digest with one from elsewhere: strongroom trust --store URL "
    "--trust-root-sha256 HEX; or keep the file yourself and say --trust-root FILE"
)
HOW_TO_ACCEPT: Final = (
    "if you know of the change from elsewhere: strongroom trust --update, with --trust-root-sha256 "
    "or --policy-sha256 where nobody can be asked"
)


def ask_person(question: str) -> bool:
    """Ask whoever sits at the terminal; where nobody does, the answer is no."""
    return ask(f"{question} [yes/no]").lower() == "yes"


@dataclass(frozen=True, slots=True)
class Consent:
    """How a person agrees: with a digest from elsewhere, or by an answer at the terminal."""

    sha256: str = ""
    may_replace: bool = False
    ask: Callable[[str], bool] = field(default=ask_person, repr=False)


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a store or a file offers to be believed, and what it would replace."""

    title: str
    content: bytes
    place: Path
    flag: str
    describe: Callable[[bytes | None], list[str]]
    changed: type[Refusal]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def add_options(parser: ArgumentParser) -> None:
    """The options with which a command is told what to believe."""
    group = parser.add_argument_group("what is believed")
    group.add_argument(
        "--trust-root",
        metavar="FILE",
        help=f"this trust root instead of the pinned one ({TRUST_ROOT_VARIABLE})",
    )
    group.add_argument(
        "--policy",
        metavar="FILE",
        help=f"these expectations instead of the pinned ones ({POLICY_VARIABLE})",
    )


def believed_trust_root(
    args: Namespace, environ: Mapping[str, str], origin: Origin | None
) -> bytes:
    """The trust root that was given, or the one that is pinned for this store. Never fetched.

    Raises:
        TrustRootNotPinned: there is none.
        MalformedTrustRoot: it cannot be used.
        WrongUsage: the file cannot be read.
    """
    given = args.trust_root or environ.get(TRUST_ROOT_VARIABLE)
    content = read_file(given, option="--trust-root") if given else None
    if content is None and origin is not None:
        content = _kept(store_folder(environ, origin) / ROOT_FILE)
    if content is None:
        raise TrustRootNotPinned(store=origin.url if origin else "", how=HOW_TO_PIN)
    keys_of(content)
    return content


def believed_expectations(
    args: Namespace, environ: Mapping[str, str], origin: Origin | None, project: str | None
) -> ProjectExpectations | None:
    """The expectations that were given, or those that are pinned for the project, if any.

    Raises:
        MalformedExpectations: they cannot be understood.
        WrongUsage: the file cannot be read, or is about another project than the one that is meant.
    """
    given = args.policy or environ.get(POLICY_VARIABLE)
    content = read_file(given, option="--policy") if given else None
    if content is None and origin is not None and project is not None:
        content = _kept(_expectations_place(environ, origin, project))
    if content is None:
        return None
    found = read_expectations(content)
    if project is not None and found.project_name != project:
        raise WrongUsage(option="--policy", expected=project, found=found.project_name)
    return found


def pin(
    store: Store, console: Console, *, environ: Mapping[str, str], consent: Consent | None = None
) -> bool:
    """Fetch the store's trust root and keep it if a person agrees; whether it is kept now.

    Raises:
        TrustRootChanged: another one is pinned, and nobody asked for an update.
        TrustRootMismatch: it is not the one whose digest was named.
        MalformedTrustRoot: nothing can be verified with it.
    """
    content = store.get(store.address(".well-known", ROOT_NAME)).body
    return pin_trust_root(
        content, store.origin, console, environ=environ, consent=consent or Consent()
    )


def pin_trust_root(
    content: bytes,
    origin: Origin,
    console: Console,
    *,
    environ: Mapping[str, str],
    consent: Consent,
) -> bool:
    """As `pin`, with a trust root from a file or from anywhere."""
    new = keys_of(content)

    def describe(old_content: bytes | None) -> list[str]:
        if old_content is None:
            return summary(new)
        old = keys_of(old_content)
        kind = "keys were only added or ended" if only_adds(old, new) else "KEYS WERE REPLACED"
        return [*differences(old, new), kind]

    place = store_folder(environ, origin) / ROOT_FILE
    title = f"trust root of {origin.url}"
    flag = "--trust-root-sha256 HEX"
    offer = _Offer(title, content, place, flag, describe, TrustRootChanged)
    return _settle(offer, consent, console)


def pin_expectations(
    store: Store, project: str, console: Console, *, environ: Mapping[str, str], consent: Consent
) -> bool:
    """Fetch a project's expectations and keep them if a person agrees; whether they are kept now.

    Raises:
        ExpectationsChanged: others are pinned, and nobody asked for an update.
        TrustRootMismatch: they are not those whose digest was named.
        MalformedExpectations: they cannot be understood.
    """
    organization, _, name = project.partition("/")
    address = store.address("api", "v1", "projects", organization, name, "expectations")
    content = store.get(address).body
    found = read_expectations(content)
    if found.project_name != project:
        raise WrongUsage(option="--project", expected=project, found=found.project_name)

    def describe(old_content: bytes | None) -> list[str]:
        if old_content is None:
            return _expected(found)
        old, new = _expected(read_expectations(old_content)), _expected(found)
        went = [f"- {line}" for line in old if line not in new]
        return [*went, *(f"+ {line}" for line in new if line not in old)]

    place = _expectations_place(environ, store.origin, project)
    title = f"expectations of {project}"
    flag = "--policy-sha256 HEX"
    offer = _Offer(title, content, place, flag, describe, ExpectationsChanged)
    return _settle(offer, consent, console)


def read_file(name: str, *, option: str) -> bytes:
    """A file that was named on the command line.

    Raises:
        WrongUsage: it cannot be read.
    """
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise WrongUsage(option=option, file=name, reason=error.strerror or str(error)) from error


def _settle(offer: _Offer, consent: Consent, console: Console) -> bool:
    old = _kept(offer.place)
    if consent.sha256 and consent.sha256.lower() != offer.sha256:
        raise TrustRootMismatch(what=offer.title, expected=consent.sha256, found=offer.sha256)
    console.say(f"{offer.title}: sha256 {offer.sha256}")
    lines = offer.describe(old if old != offer.content else None)
    for line in lines:
        console.say(f"  {line}")
    if old == offer.content:
        console.say("this is what is pinned")
        return True
    if old is not None and not consent.may_replace:
        pinned = hashlib.sha256(old).hexdigest()
        raise offer.changed(
            pinned_sha256=pinned, found_sha256=offer.sha256, changes=lines, how=HOW_TO_ACCEPT
        )
    question = f"Is this the {offer.title}, as you know it from elsewhere?"
    if not consent.sha256 and not consent.ask(question):
        console.note(f"not pinned: compare the digest with one from elsewhere and say {offer.flag}")
        return False
    write_private(offer.place, offer.content.decode())
    console.say(f"pinned in {offer.place}")
    return True


def _kept(place: Path) -> bytes | None:
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsMissing(
            missing="the pinned file", file=str(place), reason=str(error)
        ) from error


def _expectations_place(environ: Mapping[str, str], origin: Origin, project: str) -> Path:
    return store_folder(environ, origin) / "projects" / f"{quote(project, safe='')}.json"


def _expected(expectations: ProjectExpectations) -> list[str]:
    policy, trust_map = expectations.policy, expectations.trust_map
    sources = [
        f"source: {source.issuer} subject {source.subject}"
        if source.subject
        else f"source: {source.issuer} repository {source.repository_id} owner {source.owner_id}"
        for source in policy.sources
    ]
    return [
        f"store: {expectations.base_url}",
        f"project: {expectations.project_name} {expectations.project}",
        *(sources or ["source: none, so that no provenance is accepted"]),
        f"release attestations: {'accepted' if policy.accepts_release else 'not accepted'}",
        f"one key for web server and attestor: {'yes' if trust_map.key_is_shared else 'no'}",
        *(f"builder: {who} up to {level.value}" for who, level in trust_map.levels.items()),
    ]
