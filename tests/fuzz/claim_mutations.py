"""Claims and headers that are almost right: removed, of another type, a near miss, very long."""

import unicodedata
from random import Random
from typing import Any, Final

from tests.factories.identity_tokens import jwk, rsa_key
from tests.fuzz.drafts import Draft, Mutation

# Cyrillic letters, fullwidth digits and signs: each looks like the one above it.
_LOOKALIKES: Final = str.maketrans(
    "aeopcxyi0123-/.:@",
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456O\uff11\uff12\uff13\u2010\u2215\u2024\uff1a\uff20",
)
_INVISIBLE: Final = ("\u200b", "\u202e", "\u00ad", "\ufeff", "\u2060", "\x00", "\n", "\r", "\t")
_NEVER_EVENTS: Final = (
    "pull_request_target",
    "workflow_run",
    "pull_request",
    "merge_group",
    "merge_request_event",
    "push, release",
    "external_pull_request_event",
    "PUSH",
    "",
)


def other_types(value: object) -> list[Any]:
    """What else JSON can say in the place of a text."""
    nested: Any = value
    for _ in range(200):
        nested = [nested]
    return [
        None,
        True,
        False,
        0,
        1,
        -1,
        1.5,
        4242,
        10**30,
        -(10**400),
        float("nan"),
        float("inf"),
        "",
        [],
        {},
        [value],
        [value, value],
        {"": value},
        {"value": value},
        nested,
    ]


def near_misses(value: str, random: Random) -> list[str]:
    """Texts that a careless comparison takes for the right one."""
    at = random.randrange(len(value) + 1)
    left, right = value[:at], value[at:]
    hidden = random.choice(_INVISIBLE)
    return [
        value + "\n",
        value + "\x00",
        value + " ",
        " " + value,
        value + hidden,
        left + hidden + right,
        left + right[1:],
        left + right[:1] + right,
        left + right[:1].swapcase() + right[1:],
        left + right[:1].translate(_LOOKALIKES) + right[1:],
        left + "../" + right,
        left + "//" + right,
        left + "@" + right,
        left + "#" + right,
        left + "\u0301" + right,
        left + "\ud800" + right,
        left + chr(random.randrange(0x110000)) + right,
        value.upper(),
        value.title(),
        value.translate(_LOOKALIKES),
        unicodedata.normalize("NFKC", value.translate(_LOOKALIKES)),
        "0" + value,
        "+" + value,
        value + ".0",
        "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value),
        "".join(chr(0x660 + int(c)) if c in "0123456789" else c for c in value),
        value.replace("/", "%2f"),
        value.replace("refs/heads", "refs/tags"),
        value.replace(".yml", ".yaml"),
        value + value,
        value * random.randrange(1, 40),
        value[:1] * random.choice((499, 500, 501, 5000, 14000)),
    ]


def _removed(random: Random, draft: Draft) -> None:
    del draft.claims[random.choice(list(draft.claims))]


def _of_another_type(random: Random, draft: Draft) -> None:
    name = random.choice(list(draft.claims))
    draft.claims[name] = random.choice(other_types(draft.claims[name]))


def _near_miss(random: Random, draft: Draft) -> None:
    name = random.choice([n for n, value in draft.claims.items() if isinstance(value, str)])
    draft.claims[name] = random.choice(near_misses(draft.claims[name], random))


def _other_claims_value(random: Random, draft: Draft) -> None:
    one, other = random.choices(list(draft.claims), k=2)
    draft.claims[one] = draft.claims[other]


def _swapped_case_of_a_name(random: Random, draft: Draft) -> None:
    name = random.choice(list(draft.claims))
    value = draft.claims[name]
    if random.random() < 0.5:
        del draft.claims[name]
    draft.claims[random.choice([name.upper(), name + " ", name + "\x00", "_" + name])] = value


def _consistent_stranger(random: Random, draft: Draft) -> None:
    """Another repository, whole: only its ids, or only its names, are the publisher's."""
    is_name = random.random() < 0.5
    for name, value in draft.claims.items():
        if not isinstance(value, str) or name in ("iss", "aud", "jti"):
            continue
        if is_name:
            draft.claims[name] = value.replace("acme", "evil")
        elif name.endswith("_id") and value in ("4242", "77"):
            draft.claims[name] = random.choice([value + "1", "1", value[::-1]])


def _another_event(random: Random, draft: Draft) -> None:
    name = "event_name" if draft.platform != "gitlab" else "pipeline_source"
    draft.claims[name] = random.choice(_NEVER_EVENTS)


def _another_workflow(random: Random, draft: Draft) -> None:
    for name in ("workflow_ref", "job_workflow_ref", "ci_config_ref_uri"):
        value = draft.claims.get(name)
        if isinstance(value, str) and random.random() < 0.6:
            place, _, ref = value.partition("@")
            changed = random.choice(near_misses(place, random))
            draft.claims[name] = f"{changed}@{ref}"


def _another_ref_everywhere(random: Random, draft: Draft) -> None:
    ref = random.choice(
        ["main ", "main@refs", "ma/in", "Main", "ma\u0131n", "main*", "*", "m" * 480]
    )
    kind = random.choice(["heads", "tags", "pull", "merge-requests"])
    for name, value in draft.claims.items():
        if isinstance(value, str) and name not in ("iss", "aud", "jti"):
            draft.claims[name] = value.replace("refs/heads/main", f"refs/{kind}/{ref}")
    if draft.platform == "gitlab" and random.random() < 0.5:
        draft.claims["ref"] = ref
        draft.claims["ref_type"] = "tag" if kind == "tags" else "branch"


def _times(random: Random, draft: Draft) -> None:
    name = random.choice(["exp", "iat", "nbf"])
    value = draft.claims[name]
    steps = (-86400, -3601, -331, -330, -301, -31, -30, 30, 31, 3300, 3301, 10**9, 2**40)
    if type(value) is int:
        draft.claims[name] = value + random.choice(steps)


def _more_claims(random: Random, draft: Draft) -> None:
    kinds = [None, True, 1, 1.5, -(10**30), "", "x" * 20, [], ["x", 1], {}, {"x": [{"y": "z"}]}]
    for _ in range(random.choice([1, 3, 100, 500])):
        draft.claims[f"x{random.randrange(10**6)}"] = random.choice(kinds)


def _other_audience(random: Random, draft: Draft) -> None:
    ours = draft.claims.get("aud")
    near = near_misses(str(ours), random)
    draft.claims["aud"] = random.choice(
        [[ours], [ours, "sigstore"], "sigstore", {"aud": ours}, random.choice(near)]
    )


def _job_project(random: Random, draft: Draft) -> None:
    draft.claims["job_project_id"] = random.choice([None, "", "999", "4242 ", 4242, ["4242"]])
    if random.random() < 0.5:
        draft.claims["pipeline_source"] = "merge_request_event"


CLAIMS: Final[tuple[Mutation, ...]] = (
    _removed,
    _of_another_type,
    _near_miss,
    _near_miss,
    _other_claims_value,
    _swapped_case_of_a_name,
    _consistent_stranger,
    _another_event,
    _another_workflow,
    _another_ref_everywhere,
    _times,
    _more_claims,
    _other_audience,
    _job_project,
)


def _header_type(random: Random, draft: Draft) -> None:
    name = random.choice(["alg", "kid", "typ"])
    draft.header[name] = random.choice(other_types(draft.header.get(name, "")))


def _header_near_miss(random: Random, draft: Draft) -> None:
    name = random.choice(["alg", "kid", "typ"])
    draft.header[name] = random.choice(near_misses(str(draft.header.get(name, "")), random))


def _header_removed(random: Random, draft: Draft) -> None:
    draft.header.pop(random.choice(["alg", "kid", "typ"]), None)


def _other_algorithm(random: Random, draft: Draft) -> None:
    draft.header["alg"] = random.choice(
        [
            "none",
            "None",
            "HS256",
            "RS384",
            "RS512",
            "PS256",
            "ES384",
            "ES256K",
            "EdDSA",
            "RS256",
            "ES256",
            "dir",
            "RSA-OAEP",
            "rs256",
            "RS256 ",
            "\uff32\uff33256",
        ]
    )


def _brought_along(random: Random, draft: Draft) -> None:
    """A key, or a place of keys, that the token's maker would like to be used."""
    stranger = jwk(rsa_key("stranger"))
    choices: list[tuple[str, Any]] = [
        ("jwk", stranger),
        ("jku", "https://evil.example/keys"),
        ("x5u", "http://169.254.169.254/"),
        ("x5c", ["AAAA", 5, None]),
        ("x5t", "e30"),
        ("crit", ["exp"]),
        ("crit", []),
        ("crit", None),
        ("b64", False),
        ("b64", True),
        ("zip", "DEF"),
        ("enc", "A256GCM"),
        ("epk", stranger),
        ("cty", "JWT"),
        ("nonce", "x" * 300),
        ("", ""),
    ]
    name, value = random.choice(choices)
    draft.header[name] = value
    if random.random() < 0.3:
        draft.header.setdefault("crit", [name])


def _key_id_of_a_place(random: Random, draft: Draft) -> None:
    draft.header["kid"] = random.choice(
        ["../../etc/passwd", "key-1' OR '1'='1", "key-1\x00", "KEY-1", "key-2", "k" * 501, "key-1 "]
    )


HEADER: Final[tuple[Mutation, ...]] = (
    _header_type,
    _header_near_miss,
    _header_removed,
    _other_algorithm,
    _brought_along,
    _brought_along,
    _key_id_of_a_place,
)
