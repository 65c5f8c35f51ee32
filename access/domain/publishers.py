"""Which CI identity a trusted publisher stands for, as a table of rules that must all agree."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Final

from access.domain.claim_rows import NUMBER, REF, TEXT, Check
from access.domain.claims import DIALECTS
from access.domain.github import WORKFLOW, workflow_of
from access.errors import PublisherNotAllowed
from provenance.domain.build_facts import Platform, Witnessed
from provenance.domain.policy import Source

# How long a publisher that was added by its repository's name waits for the first exchange. While
# it waits the name alone counts, and a name can be given to another repository.
DEFAULT_WAIT: Final = timedelta(days=30)
SHORTEST_WAIT: Final = timedelta(hours=1)
LONGEST_WAIT: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class PublisherIdentity:
    """What a token has to agree with. All that is required always is (PRODUCT.md rule 5).

    `issuer` is the URL. Ids and not names: a re-created repository or owner has new ones. Of a
    generic issuer the subject stands for all of them. The rest narrows or, for `events` and
    `reusable_workflow`, opens one thing; empty means the default.

    With `repository` and no ids it is pending: the name counts until the first exchange has
    recorded the ids, and from then on never again.
    """

    issuer: str
    repository_id: str = ""
    owner_id: str = ""
    workflow_path: str = ""
    subject: str = ""
    reusable_workflow: str = ""
    ref: str = ""
    environment: str = ""
    requires_protected_ref: bool = False
    events: tuple[str, ...] = ()
    repository: str = ""

    @property
    def is_pending(self) -> bool:
        """Whether the ids of the repository that it names are still to be recorded."""
        return bool(self.repository) and not self.repository_id

    def terms(self) -> dict[str, Any]:
        """All but the issuer, as a row keeps them."""
        terms = asdict(self)
        del terms["issuer"]
        return {**terms, "events": list(self.events)}

    @property
    def source(self) -> Source | None:
        """What the project's policy accepts because of it; None while it is pending."""
        if self.is_pending:
            return None
        return Source(self.issuer, self.repository_id, self.owner_id, self.subject)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first claim that differs from what the publisher asks for."""

    claim: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """What is wanted of a claim, what was found; they agree when they are equal, or by `agree`.

    Nothing wanted or nothing found agrees with nothing.
    """

    claim: str
    wanted: Callable[[PublisherIdentity, Witnessed], str]
    found: Callable[[Witnessed], str]
    agree: Callable[[str, str], bool] = str.__eq__
    applies: Callable[[PublisherIdentity, Witnessed], bool] = lambda _publisher, _facts: True


def _same(name: str) -> _Rule:
    return _Rule(name, lambda publisher, _: str(getattr(publisher, name)), _fact(name))


def _fact(name: str) -> Callable[[Witnessed], str]:
    return lambda facts: str(getattr(facts, name))


def _is_ref_of(pattern: str, ref: str) -> bool:
    """Equal, or within what a `*` at the end leaves open; never the bare prefix itself."""
    if not pattern.endswith("*"):
        return pattern == ref
    prefix = pattern.removesuffix("*")
    return ref.startswith(prefix) and ref != prefix


def same_repository(one: str, other: str) -> bool:
    """Both platforms take names that differ in case only for one; the names are ASCII."""
    return one.lower() == other.lower()


# In the order in which a refusal names them.
REQUIRED: Final[Sequence[_Rule]] = (
    _same("issuer"),
    replace(
        _same("repository"),
        agree=same_repository,
        applies=lambda publisher, _facts: publisher.is_pending,
    ),
    replace(_same("repository_id"), applies=lambda publisher, _facts: not publisher.is_pending),
    replace(_same("owner_id"), applies=lambda publisher, _facts: not publisher.is_pending),
    _same("workflow_path"),
    # The code that runs in the job: the workflow's own, or the one reusable workflow that is named,
    # at any ref of it (provenance names its commit). GitLab's token says nothing of it.
    _Rule(
        "job_workflow_ref",
        lambda _publisher, facts: facts.workflow_ref,
        _fact("job_workflow_ref"),
        applies=lambda publisher, facts: (
            facts.platform is Platform.GITHUB and not publisher.reusable_workflow
        ),
    ),
    _Rule(
        "job_workflow_ref",
        lambda publisher, _facts: publisher.reusable_workflow,
        _fact("job_workflow_ref"),
        agree=lambda wanted, found: wanted == workflow_of(found),
        applies=lambda publisher, _facts: bool(publisher.reusable_workflow),
    ),
    _Rule(
        "event",
        lambda publisher, facts: ", ".join((*_usual(facts.platform), *publisher.events)),
        _fact("event"),
        agree=lambda wanted, found: found in wanted.split(", "),
    ),
    _Rule(
        "ref",
        lambda publisher, _facts: publisher.ref,
        _fact("ref"),
        agree=_is_ref_of,
        applies=lambda publisher, _facts: bool(publisher.ref),
    ),
    _Rule(
        "ref_protected",
        lambda _publisher, _facts: "true",
        _fact("ref_protected"),
        applies=lambda publisher, _facts: publisher.requires_protected_ref,
    ),
    _Rule(
        "environment",
        lambda publisher, _facts: publisher.environment,
        _fact("environment"),
        applies=lambda publisher, _facts: bool(publisher.environment),
    ),
)
REQUIRED_OF_GENERIC: Final[Sequence[_Rule]] = (_same("issuer"), _same("subject"))

# Who knows these of a publisher stands in its repository and may be told what else differs.
_DISCLOSING: Final = ("issuer", "repository", "repository_id", "subject")


def first_difference(publisher: PublisherIdentity, facts: Witnessed) -> Difference | None:
    """The first claim that differs; None when all agree. An empty claim agrees with nothing."""
    rules = REQUIRED_OF_GENERIC if facts.platform is Platform.GENERIC else REQUIRED
    for rule in rules:
        if not rule.applies(publisher, facts):
            continue
        wanted, found = rule.wanted(publisher, facts), rule.found(facts)
        if not wanted or not found or not rule.agree(wanted, found):
            return Difference(rule.claim, wanted, found)
    return None


def may_be_disclosed(difference: Difference) -> bool:
    """Whether the refusal may name it: only after issuer and repository have agreed."""
    return difference.claim not in _DISCLOSING


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a publisher and its form, on the platforms that have it; empty on the others."""

    name: str
    check: Check
    is_required: bool


_REF_PATTERN: Final = Check(
    "refs/…, exact or with one * at its end",
    lambda value: REF.accepts(value.removesuffix("*")) and "*" not in value[:-1],
)


def check_publisher(publisher: PublisherIdentity, platform: Platform) -> None:
    """Refuse a publisher that no token could ever match, or that says what it cannot mean.

    Raises:
        PublisherNotAllowed: naming the field and its form.
    """
    forms = {form.name: form for form in _forms(platform, is_pending=publisher.is_pending)}
    for name in _TEXTS:
        value, form = str(getattr(publisher, name)), forms.get(name)
        if form is None:
            if value:
                raise PublisherNotAllowed(field=name, expected=_nothing(name, platform))
        elif (value or form.is_required) and not form.check.accepts(value):
            raise PublisherNotAllowed(field=name, expected=form.check.expected)
    if publisher.requires_protected_ref and "ref" not in forms:
        raise PublisherNotAllowed(field="requires_protected_ref", expected="false")
    allowed = DIALECTS[platform].events.opt_in
    if any(event not in allowed for event in publisher.events):
        expected = f"of {', '.join(allowed)}" if allowed else f"nothing, for {platform.value}"
        raise PublisherNotAllowed(field="events", expected=expected)


_TEXTS: Final = (
    "repository",
    "repository_id",
    "owner_id",
    "workflow_path",
    "subject",
    "reusable_workflow",
    "ref",
    "environment",
)


def check_wait(wait: timedelta) -> None:
    """Refuse to let a pending publisher wait for longer than its name can be relied on.

    Raises:
        PublisherNotAllowed: naming the field and its limits.
    """
    if not SHORTEST_WAIT <= wait <= LONGEST_WAIT:
        low, high = (int(limit.total_seconds()) for limit in (SHORTEST_WAIT, LONGEST_WAIT))
        raise PublisherNotAllowed(field="wait_seconds", expected=f"{low} to {high}")


def _forms(platform: Platform, *, is_pending: bool) -> Sequence[_Field]:
    dialect = DIALECTS[platform]
    if platform is Platform.GENERIC:
        return (_Field("subject", TEXT, is_required=True),)
    by_ids = (
        _Field("repository_id", NUMBER, is_required=True),
        _Field("owner_id", NUMBER, is_required=True),
    )
    by_name = (_Field("repository", dialect.repository, is_required=True),)
    reusable = (_Field("reusable_workflow", WORKFLOW, is_required=False),)
    return (
        *(by_name if is_pending else by_ids),
        _Field("workflow_path", dialect.workflow_path, is_required=True),
        _Field("ref", _REF_PATTERN, is_required=False),
        _Field("environment", TEXT, is_required=False),
        *(reusable if platform is Platform.GITHUB else ()),
    )


def _nothing(field: str, platform: Platform) -> str:
    """Why a field must be empty: the platform has none, or name and ids were mixed."""
    if platform is not Platform.GENERIC and field in ("repository", "repository_id", "owner_id"):
        return "nothing: name the repository, or give both of its ids"
    return f"nothing, for {platform.value}"


def _usual(platform: Platform) -> Sequence[str]:
    return DIALECTS[platform].events.usual
