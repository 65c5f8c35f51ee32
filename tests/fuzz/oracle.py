"""One case: what access says of a token, and whether the independent reading agrees."""

import json
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from access.adapters.jwks import Keys, parse_keys
from access.domain.claims import witnessed_facts
from access.domain.identity_token import VerifiedToken, parse_unverified, verify
from access.domain.publishers import PublisherIdentity, first_difference
from access.errors import IssuerUnavailable, UnknownIssuer, UnknownKey
from kernel.errors import Refusal
from kernel.problems import problem
from provenance.domain.build_facts import Platform, Witnessed
from tests.factories.identity_tokens import AUDIENCE, GITLAB, ISSUER, NOW
from tests.fuzz import reading
from tests.fuzz.drafts import GENERIC, Draft

SLOWEST_SECONDS: Final = 0.05
LONGEST_REFUSAL: Final = 2500
ISSUERS: Final[Mapping[str, Platform]] = {
    ISSUER: Platform.GITHUB,
    GITLAB: Platform.GITLAB,
    GENERIC: Platform.GENERIC,
}
_PATH: Final = ".github/workflows/release.yml"
_REUSABLE: Final = "acme/ci/.github/workflows/build.yml"
_USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "github": ("push", "release", "workflow_dispatch", "schedule"),
    "gitlab": ("push", "web", "schedule", "api"),
    "generic": (),
}
PUBLISHERS: Final[Mapping[str, tuple[PublisherIdentity, ...]]] = {
    "github": (
        PublisherIdentity(ISSUER, "4242", "77", _PATH),
        PublisherIdentity(ISSUER, "4242", "77", _PATH, environment="release"),
        PublisherIdentity(ISSUER, "4242", "77", _PATH, ref="refs/heads/*"),
        PublisherIdentity(ISSUER, "4242", "77", _PATH, ref="refs/heads/main"),
        PublisherIdentity(ISSUER, "4242", "77", _PATH, requires_protected_ref=True),
        PublisherIdentity(ISSUER, "4242", "77", _PATH, reusable_workflow=_REUSABLE),
        PublisherIdentity(ISSUER, "4242", "77", _PATH, events=("pull_request",)),
        PublisherIdentity(ISSUER, workflow_path=_PATH, repository="Acme/Widget"),
    ),
    "gitlab": (
        PublisherIdentity(GITLAB, "4242", "77", ".gitlab-ci.yml"),
        PublisherIdentity(GITLAB, "4242", "77", ".gitlab-ci.yml", environment="release"),
        PublisherIdentity(GITLAB, "4242", "77", ".gitlab-ci.yml", events=("merge_request_event",)),
        PublisherIdentity(GITLAB, workflow_path=".gitlab-ci.yml", repository="acme/tools/widget"),
    ),
    "generic": (PublisherIdentity(GENERIC, subject="workload:acme/widget"),),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said of one case: `code` for the counts, `finding` when it should not have been."""

    code: str
    finding: str
    seconds: float


def outcome(draft: Draft, *, is_unbent: bool = False) -> Outcome:
    """Ask access, time it, and hold the answer to the independent reading."""
    began = time.thread_time()
    try:
        token, facts = identify(draft.text, draft.keys_text)
    except Refusal as refusal:
        seconds = time.thread_time() - began
        found = _bad_refusal(refusal, draft) or ("refused a good token" if is_unbent else "")
        return Outcome(refusal.code, found or _slow(seconds), seconds)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        seconds = time.thread_time() - began
        return Outcome("crash", f"crash: {_place(error)}", seconds)
    differences = {
        publisher: first_difference(publisher, facts)
        for publisher in PUBLISHERS[facts.platform.value]
    }
    seconds = time.thread_time() - began
    matches = tuple(publisher for publisher, found in differences.items() if found is None)
    code = f"accepted, {len(matches)} publishers"
    return Outcome(code, _bad_acceptance(draft, token, facts, matches) or _slow(seconds), seconds)


def identify(text: str, keys_text: str) -> tuple[VerifiedToken, Witnessed]:
    """The steps of access.usecases.identify_job, without its tables and its network."""
    unverified = parse_unverified(text)
    platform = ISSUERS.get(unverified.unverified_issuer)
    if platform is None:
        raise UnknownIssuer(found=unverified.unverified_issuer)
    key_id, algorithm = unverified.unverified_key_id, unverified.unverified_algorithm
    key = _keys(keys_text).get((key_id, algorithm))
    if key is None:
        raise UnknownKey(issuer=unverified.unverified_issuer, key_id=key_id, algorithm=algorithm)
    verified = verify(unverified, key=key, audience=AUDIENCE, now=NOW)
    return verified, witnessed_facts(verified, platform=platform, issuer_name=platform.value)


def _keys(keys_text: str) -> Keys:
    """As access.adapters.http_keys reads what came over the wire."""
    try:
        document = json.loads(keys_text.encode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        raise IssuerUnavailable(reason="the answer is not JSON") from None
    try:
        return parse_keys(document)
    except ValueError:
        raise IssuerUnavailable(reason="its key set cannot be read") from None


def _bad_acceptance(
    draft: Draft,
    token: VerifiedToken,
    facts: Witnessed,
    matches: tuple[PublisherIdentity, ...],
) -> str:
    try:
        read = reading.read(draft.text)
        keys = json.loads(draft.keys_text)
        reading.check(read, keys=keys, audience=AUDIENCE, now=int(NOW.timestamp()))
    except (reading.Unreadable, ValueError) as reason:
        return f"accepted though {reason}"
    platform = facts.platform.value
    if token.claims != read.claims or ISSUERS.get(read.claims["iss"]) is not facts.platform:
        return "accepted other claims than were signed"
    wrong = reading.differing_facts(platform, read.claims, facts.to_json())
    if wrong:
        return f"accepted a wrong fact: {wrong}"
    for publisher in PUBLISHERS[platform]:
        wanted = asdict(publisher)
        wanted["events"] = (*_USUAL[platform], *publisher.events)
        if reading.is_match(platform, read.claims, wanted) != (publisher in matches):
            return f"publisher matched otherwise than by bytes: {publisher}"
    return ""


def _bad_refusal(refusal: Refusal, draft: Draft) -> str:
    """A refusal has to be small, printable, and must not hand the token back."""
    try:
        document = problem(refusal, pages="https://store.test/problems")
        shown = json.dumps(document, ensure_ascii=False).encode()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        return f"crash while telling {refusal.code}: {_place(error)}"
    if len(shown) > LONGEST_REFUSAL:
        return f"a refusal too long: {refusal.code}"
    signature = draft.text.rpartition(".")[2].encode("utf-8", "surrogatepass")
    if len(signature) > 40 and signature in shown:
        return f"a refusal that repeats the signature: {refusal.code}"
    return ""


def _slow(seconds: float) -> str:
    return "slow" if seconds > SLOWEST_SECONDS else ""


def _place(error: BaseException) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/tests/" not in f.filename]
    at = frames[-1] if frames else None
    where = f"{'/'.join(at.filename.split('/')[-3:])}:{at.name}" if at else "the fuzz itself"
    return f"{type(error).__name__} in {where}"


def told(members: Mapping[str, Any]) -> str:
    """A summary for people and programs: JSON that is the same for the same contents."""
    return json.dumps(members, indent=2, sort_keys=True)
