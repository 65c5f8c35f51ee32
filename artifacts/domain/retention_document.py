"""Read a retention policy as it is written, in JSON; what is not understood is refused by place.

{"keep":   [{"name": "releases", "when": {"refs": ["refs/tags/v*"]}}],
 "expire": [{"name": "main-90d", "when": {"refs": ["refs/heads/main"]}, "after_days": 90}],
 "immutable": [{"name": "versions", "when": {"paths": ["dist/*-v*.tar.gz"]}}]}
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.names import is_slug
from artifacts.domain.patterns import Pattern, broken_by
from artifacts.domain.retention import Conditions, Measure, RetentionPolicy, Rule
from kernel.errors import Kind, Refusal

MAX_RULES: Final = 50
MAX_NAMED: Final = 20
MAX_DAYS: Final = 36_500
MAX_NEWEST: Final = 10_000
MAX_PREDICATE_CHARACTERS: Final = 200
# A bigint, as the database compares it.
MAX_SIZE_BYTES: Final = 2**63 - 1

# How long each kind of rule keeps, or after what it expires.
KEEP_TERMS: Final[Mapping[str, Measure]] = {
    "for_days": Measure.AGE,
    "downloaded_within_days": Measure.IDLE,
    "newest": Measure.NEWEST,
}
EXPIRE_TERMS: Final[Mapping[str, Measure]] = {
    "after_days": Measure.AGE,
    "idle_days": Measure.IDLE,
    "beyond_newest": Measure.NEWEST,
}
CONDITIONS: Final = (
    "paths",
    "refs",
    "is_protected",
    "outcomes",
    "predicates",
    "size_from_bytes",
    "size_to_bytes",
    "is_yanked",
)
_OF_NAMES: Final = ("paths", "refs", "is_protected")
_OUTCOMES: Final = (BuildState.PUBLISHED.value, BuildState.REFUSED.value)


class MalformedRetentionPolicy(Refusal):
    """This is no retention policy: `place` says where, as a JSON pointer (RFC 6901)."""

    code = "malformed-retention-policy"
    kind = Kind.INVALID


def read_policy(document: object) -> RetentionPolicy:
    """Read a whole policy. An empty one says nothing, and keeps everything.

    Raises:
        MalformedRetentionPolicy: something in it is unknown, missing, or out of its limits.
    """
    members = _object(document, "", known=("keep", "expire", "immutable"))
    keep = _rules(members.get("keep", []), "/keep", KEEP_TERMS)
    expire = _rules(members.get("expire", []), "/expire", EXPIRE_TERMS)
    immutable = _immutable(members.get("immutable", []), "/immutable")
    named: set[str] = set()
    for kind, rules in (("keep", keep), ("expire", expire), ("immutable", immutable)):
        for number, rule in enumerate(rules):
            if rule.name in named:
                raise _malformed(f"/{kind}/{number}/name", "a name of its own", rule.name)
            named.add(rule.name)
    return RetentionPolicy(keep, expire, immutable)


def _rules(found: object, place: str, terms: Mapping[str, Measure]) -> tuple[Rule, ...]:
    listed = _list(found, place, longest=MAX_RULES)
    return tuple(_rule(one, f"{place}/{number}", terms) for number, one in enumerate(listed))


def _immutable(found: object, place: str) -> tuple[Rule, ...]:
    """Rules about names: only what is known of a file before it is there can be asked."""
    listed = _list(found, place, longest=MAX_RULES)
    for number, one in enumerate(listed):
        when = _object(one, f"{place}/{number}", known=("name", "when")).get("when", {})
        _object(when, f"{place}/{number}/when", known=_OF_NAMES)
    return _rules(listed, place, {})


def _rule(found: object, place: str, terms: Mapping[str, Measure]) -> Rule:
    is_expiring = terms is EXPIRE_TERMS
    known = ("name", "when", *terms, *(["is_final"] if is_expiring else []))
    members = _object(found, place, known=known)
    name = members.get("name")
    if not isinstance(name, str) or not is_slug(name):
        raise _malformed(f"{place}/name", "lowercase letters, digits, single . _ or -", name)
    given = [term for term in terms if term in members]
    if len(given) > 1 or (is_expiring and not given):
        how_many = "exactly one of " if is_expiring else "at most one of "
        raise _malformed(place, how_many + ", ".join(terms), sorted(members))
    is_final = _flag(members.get("is_final", False), f"{place}/is_final")
    conditions = read_conditions(members.get("when", {}), f"{place}/when")
    if not given:
        return Rule(name, Measure.ALWAYS, conditions=conditions)
    [term] = given
    measure = terms[term]
    most = MAX_NEWEST if measure is Measure.NEWEST else MAX_DAYS
    amount = _number(members[term], f"{place}/{term}", least=1, most=most)
    return Rule(name, measure, amount, conditions, is_final)


def read_conditions(found: object, place: str = "") -> Conditions:
    """Read of which artifacts something is said; what is wrong is named below `place`.

    Raises:
        MalformedRetentionPolicy: as `read_policy`.
    """
    members = _object(found, place, known=CONDITIONS)
    sizes = {
        name: _number(members[name], f"{place}/{name}", least=0, most=MAX_SIZE_BYTES)
        for name in ("size_from_bytes", "size_to_bytes")
        if name in members
    }
    return Conditions(
        paths=_patterns(members, place, "paths"),
        refs=_patterns(members, place, "refs"),
        is_protected=_flag_if_any(members, place, "is_protected"),
        is_yanked=_flag_if_any(members, place, "is_yanked"),
        outcomes=tuple(BuildState(one) for one in _words(members, place, "outcomes", _OUTCOMES)),
        predicates=_predicates(members, place),
        **sizes,
    )


def _patterns(members: Mapping[str, Any], place: str, name: str) -> tuple[Pattern, ...]:
    texts = _words(members, place, name, None)
    for number, text in enumerate(texts):
        rule = broken_by(text)
        if rule:
            raise _malformed(f"{place}/{name}/{number}", rule, text)
    return tuple(Pattern(text) for text in texts)


def _predicates(members: Mapping[str, Any], place: str) -> tuple[str, ...]:
    types = _words(members, place, "predicates", None)
    for number, one in enumerate(types):
        is_plain = one.isascii() and one.isprintable()
        if not is_plain or not 0 < len(one) <= MAX_PREDICATE_CHARACTERS:
            expected = f"a TypeURI of at most {MAX_PREDICATE_CHARACTERS} ASCII characters"
            raise _malformed(f"{place}/predicates/{number}", expected, one)
    return tuple(types)


def _words(
    members: Mapping[str, Any], place: str, name: str, known: Sequence[str] | None
) -> list[str]:
    """The texts of a list that has some: an empty one would read as `none`, and ask nothing."""
    if name not in members:
        return []
    place = f"{place}/{name}"
    listed = _list(members[name], place, longest=MAX_NAMED)
    if not listed:
        raise _malformed(place, "at least one, or leave it out", listed)
    for number, one in enumerate(listed):
        if not isinstance(one, str) or (known is not None and one not in known):
            expected = "one of " + ", ".join(known) if known is not None else "a text"
            raise _malformed(f"{place}/{number}", expected, one)
    return listed


def _object(found: object, place: str, *, known: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise _malformed(place, "an object", found)
    for name in found:
        if name not in known:
            escaped = str(name)[:100].replace("~", "~0").replace("/", "~1")
            raise _malformed(f"{place}/{escaped}", "one of " + ", ".join(known), name)
    return found


def _list(found: object, place: str, *, longest: int) -> list[Any]:
    if not isinstance(found, list):
        raise _malformed(place, "a list", found)
    if len(found) > longest:
        raise _malformed(place, f"at most {longest}", len(found))
    return found


def _flag(found: object, place: str) -> bool:
    if not isinstance(found, bool):
        raise _malformed(place, "true or false", found)
    return found


def _flag_if_any(members: Mapping[str, Any], place: str, name: str) -> bool | None:
    return _flag(members[name], f"{place}/{name}") if name in members else None


def _number(found: object, place: str, *, least: int, most: int) -> int:
    # JSON's true is an int to Python.
    if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
        raise _malformed(place, f"a whole number from {least} to {most}", found)
    return found


def _malformed(place: str, expected: str, found: object) -> MalformedRetentionPolicy:
    return MalformedRetentionPolicy(place=place, expected=expected, found=repr(found)[:100])
