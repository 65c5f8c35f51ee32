"""An independent reading of identity tokens, keys and claims: what the fuzz holds access to.

Written from the RFCs and the platforms' pages, and importing nothing of access: a mistake would
have to be made twice. It is slower and stricter than it has to be, and knows one answer: what an
accepted token has to be.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LEEWAY_SECONDS: Final = 30
LONGEST_LIFE_SECONDS: Final = 3600
_P256_COORDINATE: Final = 32


class Unreadable(Exception):
    """By this reading the token must not be accepted."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A token that is well formed: its members, and what was signed with what."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signing_input: bytes
    signature: bytes


def read(text: str) -> Reading:
    """RFC 7515 section 7.1, RFC 4648 section 5 without padding, RFC 8259 in UTF-8."""
    parts = text.split(".")
    if len(parts) != 3:
        raise Unreadable(f"{len(parts)} parts")
    header, claims = (_object(_bytes_of(part)) for part in parts[:2])
    signing_input = f"{parts[0]}.{parts[1]}".encode("ascii")
    return Reading(header, claims, signing_input, _bytes_of(parts[2]))


def check(reading: Reading, *, keys: object, audience: str, now: int) -> None:
    """Refuse what no store may accept: header, signature, audience, times, token id."""
    head, claims = reading.header, reading.claims
    if head.get("alg") not in ("RS256", "ES256") or {"crit", "b64"} & set(head):
        raise Unreadable("header")
    if not is_signed(reading, keys):
        raise Unreadable("signature")
    if claims.get("aud") != audience or not isinstance(claims["aud"], str):
        raise Unreadable("aud")
    expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
    starts = _moment(claims, "nbf") if "nbf" in claims else issued
    is_now = max(issued, starts) <= now + LEEWAY_SECONDS and now < expires + LEEWAY_SECONDS
    if not is_now or expires - issued > LONGEST_LIFE_SECONDS:
        raise Unreadable("times")
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        raise Unreadable("jti")


def _moment(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int:
        raise Unreadable(name)
    return value


def is_signed(reading: Reading, keys: object) -> bool:
    """Whether the first usable key of this id and algorithm signed exactly these bytes."""
    listed = keys.get("keys") if isinstance(keys, dict) else None
    if not isinstance(listed, list):
        return False
    for entry in listed:
        key = usable_key(entry, reading.header)
        if key is not None:
            return _verifies(key, reading)
    return False


def usable_key(
    entry: object, header: Mapping[str, Any]
) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey | None:
    """RFC 7517: a public signing key of the id and the algorithm that the header names."""
    if not isinstance(entry, dict) or "d" in entry or entry.get("use", "sig") != "sig":
        return None
    if entry.get("kid") != header.get("kid") or entry.get("alg", header["alg"]) != header["alg"]:
        return None
    try:
        if header["alg"] == "RS256" and entry.get("kty") == "RSA":
            return _rsa(_number(entry["n"]), _number(entry["e"]))
        if header["alg"] == "ES256" and entry.get("kty") == "EC" and entry.get("crv") == "P-256":
            return _ec(entry["x"], entry["y"])
    except (KeyError, TypeError, ValueError):
        return None
    return None


def _rsa(modulus: int, exponent: int) -> rsa.RSAPublicKey | None:
    if not 2048 <= modulus.bit_length() <= 8192 or exponent < 3 or exponent % 2 == 0:
        return None
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _ec(x: str, y: str) -> ec.EllipticCurvePublicKey | None:
    coordinates = [_lenient(x), _lenient(y)]
    if any(len(coordinate) != _P256_COORDINATE for coordinate in coordinates):
        return None
    numbers = [int.from_bytes(coordinate, "big") for coordinate in coordinates]
    return ec.EllipticCurvePublicNumbers(numbers[0], numbers[1], ec.SECP256R1()).public_key()


def _verifies(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, reading: Reading) -> bool:
    signature, data = reading.signature, reading.signing_input
    try:
        if isinstance(key, rsa.RSAPublicKey):
            if len(signature) != (key.key_size + 7) // 8:
                return False
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
            return True
        if len(signature) != 2 * _P256_COORDINATE:  # RFC 7518 section 3.4: R and S, raw
            return False
        pair = (int.from_bytes(signature[half : half + 32], "big") for half in (0, 32))
        key.verify(encode_dss_signature(*pair), data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _object(data: bytes) -> dict[str, Any]:
    """One JSON object in strict UTF-8, each name once, no NaN."""
    try:
        found = json.loads(
            data.decode("utf-8", "strict"), object_pairs_hook=_once, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"JSON: {type(error).__name__}") from None
    if not isinstance(found, dict):
        raise Unreadable("no object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise Unreadable("a name stands twice")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise Unreadable(name)


def _bytes_of(part: str) -> bytes:
    """Base64url by hand: alphabet, no padding, unused bits zero."""
    values = [ALPHABET.find(character) for character in part]
    if not part or min(values) < 0 or len(part) % 4 == 1:
        raise Unreadable("base64url")
    bits = "".join(f"{value:06b}" for value in values)
    whole = len(bits) // 8 * 8
    if "1" in bits[whole:]:
        raise Unreadable("base64url: unused bits")
    return int(bits[:whole], 2).to_bytes(whole // 8, "big")


def _number(text: object) -> int:
    return int.from_bytes(_lenient(text), "big")


def _lenient(text: object) -> bytes:
    """Key sets of the world pad now and then; other characters have no business there."""
    if not isinstance(text, str) or not set(text.rstrip("=")) <= set(ALPHABET):
        raise TypeError
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


# --- from claims to facts, once more -------------------------------------------------------------

GITHUB: Final[Mapping[str, str]] = {
    "repository": "repository",
    "repository_id": "repository_id",
    "owner": "repository_owner",
    "owner_id": "repository_owner_id",
    "visibility": "repository_visibility",
    "subject": "sub",
    "event": "event_name",
    "ref": "ref",
    "ref_protected": "ref_protected",
    "commit": "sha",
    "workflow_ref": "workflow_ref",
    "workflow_commit": "workflow_sha",
    "job_workflow_ref": "job_workflow_ref",
    "job_workflow_commit": "job_workflow_sha",
    "run_id": "run_id",
    "run_attempt": "run_attempt",
    "job_id": "check_run_id",
    "environment": "environment",
}
GITLAB: Final[Mapping[str, str]] = {
    "repository": "project_path",
    "repository_id": "project_id",
    "owner": "namespace_path",
    "owner_id": "namespace_id",
    "visibility": "project_visibility",
    "subject": "sub",
    "event": "pipeline_source",
    "ref": "ref_path",
    "ref_protected": "ref_protected",
    "commit": "sha",
    "workflow_commit": "ci_config_sha",
    "run_id": "pipeline_id",
    "job_id": "job_id",
    "environment": "environment",
}
FACTS: Final[Mapping[str, Mapping[str, str]]] = {
    "github": GITHUB,
    "gitlab": GITLAB,
    "generic": {"subject": "sub"},
}
_ALWAYS_DIGITS: Final = ("repository_id", "owner_id", "run_id")
_HOSTED: Final = {"github": "github-hosted", "gitlab": "gitlab-hosted"}


def differing_facts(platform: str, claims: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """The first fact that is not its claim, or that should never have been read; or nothing."""
    table = FACTS[platform]
    for fact, claim in table.items():
        value = claims.get(claim)
        if facts[fact] != ("" if value is None else value):
            return f"{fact} is not {claim}"
        if not all(character.isprintable() for character in facts[fact]):
            return f"{fact} is not printable"
        if fact in _ALWAYS_DIGITS and re.fullmatch("[1-9][0-9]*", facts[fact], re.ASCII) is None:
            return f"{fact} is no number"
    is_hosted = facts["hosting"] == "hosted"
    if is_hosted and claims.get("runner_environment") != _HOSTED.get(platform):
        return "hosting"
    if platform == "gitlab" and not _is_own_pipeline(claims):
        return "a fork's pipeline"
    if facts["confirmed"] is not False or facts["platform"] != platform:
        return "platform"
    return _differing_workflow(platform, claims, facts)


def _is_own_pipeline(claims: Mapping[str, Any]) -> bool:
    code_of = claims.get("job_project_id") or None
    if code_of is None:
        return bool(claims["pipeline_source"] != "merge_request_event")
    return bool(code_of == claims["project_id"])


def _differing_workflow(platform: str, claims: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """The workflow's file, pieced together again: it must give the claim back."""
    path = facts["workflow_path"]
    if platform == "generic":
        return "workflow_path" if path else ""
    refs = (facts["ref"], facts["commit"])
    if platform == "github":
        whole = [f"{claims['repository']}/{path}@{ref}" for ref in refs]
        return "" if claims["workflow_ref"] in whole else "workflow_path"
    host = claims["iss"].split("://")[1].rstrip("/")
    whole = [f"{host}/{claims['project_path']}//{path}@{ref}" for ref in refs]
    return "" if claims["ci_config_ref_uri"] in whole else "workflow_path"


def is_match(platform: str, claims: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a publisher of these terms stands for these claims, byte by byte."""
    if claims.get("iss") != wanted["issuer"]:
        return False
    if platform == "generic":
        return bool(claims.get("sub") == wanted["subject"])
    table = FACTS[platform]
    if wanted["repository_id"]:
        same = ("repository_id", "owner_id")
        if any(claims.get(table[name]) != wanted[name] for name in same):
            return False
    elif _ascii_lower(claims[table["repository"]]) != _ascii_lower(wanted["repository"]):
        return False
    if claims.get(table["event"]) not in wanted["events"]:
        return False
    environment, ref = wanted.get("environment"), wanted.get("ref")
    if environment and claims.get("environment") != environment:
        return False
    if ref and not _is_within(ref, claims.get(table["ref"])):
        return False
    if wanted.get("requires_protected_ref") and claims.get("ref_protected") != "true":
        return False
    return _is_workflow(platform, claims, wanted)


def _ascii_lower(name: str) -> str:
    """A name that is not ASCII is no repository's: it is left as it is, and equals none."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in name)


def _is_within(pattern: str, ref: object) -> bool:
    if not isinstance(ref, str):
        return False
    if pattern.endswith("*"):
        return ref[: len(pattern) - 1] == pattern[:-1] and len(ref) >= len(pattern)
    return ref == pattern


def _is_workflow(platform: str, claims: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    if platform == "gitlab":
        path = str(claims["ci_config_ref_uri"]).split("//", 1)[1].split("@", 1)[0]
        return bool(path == wanted["workflow_path"])
    workflow, job = claims["workflow_ref"], claims["job_workflow_ref"]
    path = workflow.split("@", 1)[0][len(claims["repository"]) + 1 :]
    allowed: Sequence[str] = [workflow]
    if wanted.get("reusable_workflow"):
        job, allowed = job.split("@", 1)[0], [wanted["reusable_workflow"]]
    return path == wanted["workflow_path"] and job in allowed
