"""Forged identity tokens, each refused with its code beside a twin that is accepted."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from access.domain.identity_token import (
    LONGEST_TOKEN,
    PublicKey,
    VerifiedToken,
    parse_unverified,
    verify,
)
from kernel.errors import Refusal
from tests.factories.identity_tokens import (
    AUDIENCE,
    ISSUER,
    NOW,
    b64,
    claims,
    ec_key,
    hmac_signed,
    jwk,
    public_key,
    rsa_key,
    signature_of,
    signed,
    unsigned,
)

HEADER = b64(b'{"alg":"RS256","kid":"key-1"}')
SECONDS = int(NOW.timestamp())


def verified(text: str, key: PublicKey | None = None, **more: Any) -> VerifiedToken:
    expectation = {"audience": AUDIENCE, "now": NOW, **more}
    return verify(parse_unverified(text), key=key or public_key(rsa_key()), **expectation)


def signed_parts(head: bytes, body: bytes) -> str:
    text = f"{b64(head)}.{b64(body)}"
    return f"{text}.{b64(signature_of(rsa_key(), text.encode()))}"


def refusal(text: str, key: PublicKey | None = None, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        verified(text, key, **more)
    return refused.value


@pytest.mark.parametrize("private", [rsa_key(), ec_key()], ids=["RS256", "ES256"])
def test_accepts_a_token_that_its_issuer_signed_for_this_store(private: Any) -> None:
    token = verified(signed(claims(), private), public_key(private))

    assert token.issuer == ISSUER
    assert token.claims["repository"] == "acme/widget"
    assert token.expires_at == NOW + timedelta(seconds=300)
    assert len(token.token_id_sha256) == 64


def test_refuses_alg_none() -> None:
    assert refusal(unsigned(claims())).code == "algorithm-not-allowed"
    assert refusal(unsigned(claims()) + "AA").code == "algorithm-not-allowed"
    assert verified(signed(claims())).issuer == ISSUER


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, 5, ["RS256"]])
def test_refuses_every_spelling_of_alg_none(alg: Any) -> None:
    assert refusal(signed(claims(), alg=alg)).code == "algorithm-not-allowed"


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_refuses_hs256_with_the_public_key_as_secret(encoding: Encoding) -> None:
    secret = rsa_key().public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)

    assert refusal(hmac_signed(claims(), secret)).code == "algorithm-not-allowed"


@pytest.mark.parametrize("alg", ["HS256", "RS384", "RS512", "PS256", "ES384", "EdDSA", "rs256"])
def test_refuses_other_algorithms(alg: str) -> None:
    refused = refusal(signed(claims(), alg=alg))

    assert refused.code == "algorithm-not-allowed"
    assert refused.facts == {"found": alg, "allowed": ("RS256", "ES256")}


def test_refuses_a_key_of_another_algorithm_than_the_header_names() -> None:
    text = signed(claims(), ec_key(), alg="RS256")

    assert refusal(text, public_key(ec_key())).code == "signature-invalid"


@pytest.mark.parametrize(
    ("right", "wrong"), [(rsa_key(), rsa_key("stranger")), (ec_key(), ec_key("stranger"))]
)
def test_refuses_the_signature_of_another_key(right: Any, wrong: Any) -> None:
    text = signed(claims(), wrong)

    assert refusal(text, public_key(right)).code == "signature-invalid"
    assert verified(text, public_key(wrong)).issuer == ISSUER


def test_refuses_claims_that_were_edited_after_signing() -> None:
    head, _, signature = signed(claims()).split(".")
    edited = b64(json.dumps(claims(repository_id="1")).encode())

    assert refusal(f"{head}.{edited}.{signature}").code == "signature-invalid"


def test_refuses_a_header_that_was_edited_after_signing() -> None:
    _, body, signature = signed(claims()).split(".")
    edited = b64(json.dumps({"alg": "RS256", "kid": "key-1"}).encode())

    assert refusal(f"{edited}.{body}.{signature}").code == "signature-invalid"


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": jwk(rsa_key("stranger"))},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/chain.pem"},
        {"x5c": ["AAAA"]},
    ],
    ids=lambda header: next(iter(header)),
)
def test_does_not_look_at_a_key_that_the_token_brings_along(header: Any) -> None:
    forged = signed(claims(), rsa_key("stranger"), **header)

    assert refusal(forged).code == "signature-invalid"
    assert verified(signed(claims(), **header)).issuer == ISSUER


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"crit": []}, {"b64": False}])
def test_refuses_extensions_that_it_does_not_know(header: Any) -> None:
    assert refusal(signed(claims(), **header)).code == "identity-token-malformed"
    assert verified(signed(claims(), x5t="thumbprint")).issuer == ISSUER


@pytest.mark.parametrize("header", [{"typ": "at+jwt"}, {"typ": 1}, {"kid": ""}, {"kid": 7}])
def test_refuses_other_kinds_of_token_and_unusable_key_ids(header: Any) -> None:
    assert refusal(signed(claims(), **header)).code == "identity-token-malformed"


@pytest.mark.parametrize(
    "audience",
    [
        [AUDIENCE],
        [AUDIENCE, "https://other.example"],
        AUDIENCE + "/",
        AUDIENCE[:-1],
        AUDIENCE + ".evil.example",
        AUDIENCE.upper(),
        "https://other.example",
        "",
        5,
        {"aud": AUDIENCE},
        None,
    ],
)
def test_refuses_every_audience_but_exactly_this_store(audience: Any) -> None:
    refused = refusal(signed(claims(aud=audience)))

    assert refused.code == "wrong-audience"
    assert refused.facts["expected"] == AUDIENCE


def test_never_accepts_the_audience_that_everybody_shares() -> None:
    text = signed(claims(aud="sigstore"))

    assert refusal(text, audience="sigstore").code == "wrong-audience"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"exp": SECONDS - 30}, "identity-token-expired"),
        ({"exp": 1}, "identity-token-expired"),
        ({"nbf": SECONDS + 31}, "identity-token-not-yet-valid"),
        ({"iat": SECONDS + 31, "nbf": SECONDS}, "identity-token-not-yet-valid"),
        ({"exp": SECONDS + 3601}, "identity-token-lives-too-long"),
        ({"iat": SECONDS - 86_400}, "identity-token-lives-too-long"),
    ],
)
def test_refuses_a_token_outside_of_its_time(change: Any, code: str) -> None:
    assert refusal(signed(claims(**change))).code == code


@pytest.mark.parametrize(
    "change",
    [
        {"exp": SECONDS - 29},
        {"nbf": SECONDS + 30},
        {"nbf": None},
        {"iat": SECONDS + 30, "exp": SECONDS + 3630},
        {"exp": SECONDS + 3600},
    ],
)
def test_accepts_a_token_just_within_its_time(change: Any) -> None:
    assert verified(signed(claims(**change))).issuer == ISSUER


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["1764000000", 1.5, True, 0, -1, 10**400, [1], {}])
def test_refuses_times_that_are_no_whole_seconds(name: str, value: Any) -> None:
    refused = refusal(signed(claims(**{name: value})))

    assert refused.code == "claim-invalid"
    assert refused.facts["claim"] == name


@pytest.mark.parametrize("name", ["exp", "iat", "iss"])
def test_refuses_a_token_without_a_claim_that_every_token_needs(name: str) -> None:
    without: dict[str, Any] = {name: None}

    refused = refusal(signed(claims(**without)))

    assert refused.code == "claim-missing"
    assert refused.facts == {"claim": name}


def test_refuses_a_token_without_a_token_id() -> None:
    assert refusal(signed(claims(jti=None))).code == "token-id-missing"
    assert refusal(signed(claims(jti=""))).code == "token-id-missing"
    assert refusal(signed(claims(jti=7))).code == "claim-invalid"
    assert refusal(signed(claims(jti="x" * 501))).code == "claim-invalid"
    assert verified(signed(claims(jti="x"))).issuer == ISSUER


def test_refuses_a_claim_that_stands_twice() -> None:
    once = json.dumps(claims())
    twice = once[:-1] + ', "repository_id": "1"}'

    assert refusal(signed(twice)).code == "identity-token-malformed"
    assert verified(signed(once)).issuer == ISSUER


def test_refuses_a_header_name_that_stands_twice() -> None:
    _, body, signature = signed(claims()).split(".")
    head = b64(b'{"alg":"RS256","kid":"key-1","alg":"RS256"}')

    assert refusal(f"{head}.{body}.{signature}").code == "identity-token-malformed"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "not a token",
        "é.é.é",
        "\x00.\x00.\x00",
        "srt_" + "0" * 36,
        "e30=.e30=.AA==",
        f"{b64(b'[]')}.e30.AA",
        f"{b64(b'{')}.e30.AA",
        f"{b64(bytes([255]))}.e30.AA",
        f"{b64(b'[' * 9000)}.e30.AA",
        f"{HEADER}.e30.",
        f"{HEADER}..AA",
        f"{HEADER}.{b64(b'5')}.AA",
        f"{HEADER}.{b64(b'[]')}.AA",
        f"{HEADER}.{b64(b'{')}.AA",
        f"{HEADER}.{b64(b'1' * 5000)}.AA",
        f"{HEADER}.{b64(b'[' * 9000)}.AA",
    ],
)
def test_refuses_what_is_no_token(text: str) -> None:
    refused = refusal(text)

    assert refused.code == "identity-token-malformed"
    assert len(str(refused)) < 300


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("at", [0, 1])
def test_refuses_json_in_another_encoding_than_utf_8(encoding: str, at: int) -> None:
    parts = [json.dumps({"alg": "RS256", "kid": "key-1"}), json.dumps(claims())]
    encoded = [part.encode(encoding if i == at else "utf-8") for i, part in enumerate(parts)]

    assert refusal(signed_parts(*encoded)).code == "identity-token-malformed"
    assert verified(signed_parts(*(part.encode() for part in parts))).issuer == ISSUER


@pytest.mark.parametrize(
    "value", [b"NaN", b"Infinity", b"-Infinity", b'"\xed\xa0\x80"', b'"\xff"', b'"\xc0\xaf"']
)
def test_refuses_what_is_no_json_in_a_claim_that_it_does_not_read(value: bytes) -> None:
    head, body = json.dumps({"alg": "RS256", "kid": "key-1"}), json.dumps(claims()).encode()

    def with_member(odd: bytes) -> str:
        return signed_parts(head.encode(), body[:-1] + b', "odd": ' + odd + b"}")

    assert refusal(with_member(value)).code == "identity-token-malformed"
    assert verified(with_member(b'"\xc3\xa9"')).issuer == ISSUER


@pytest.mark.parametrize("name", ["aud", "iss", "odd", "jti"])
@pytest.mark.parametrize("depth", [8, 100, 900, 960, 980])
def test_refuses_a_token_that_is_nested_deeply(name: str, depth: int) -> None:
    def nested(levels: int) -> str:
        members = {key: value for key, value in claims().items() if key != name}
        inside = "[" * levels + "1" + "]" * levels
        return signed(json.dumps(members)[:-1] + f', "{name}": {inside}}}')

    # At depths near the interpreter's limit it read the token, and then failed to show it.
    assert refusal(nested(depth)).code == "identity-token-malformed"
    if name == "odd":
        assert verified(nested(7)).issuer == ISSUER


def test_refuses_other_spellings_of_the_same_bytes() -> None:
    head, body, signature = signed(claims()).split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    assert len(raw) == 256
    # 256 bytes leave four unused bits in the last character; all but one spelling are not ours.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    respelt = signature[:-1] + alphabet[alphabet.index(signature[-1]) + 1]

    assert base64.urlsafe_b64decode(respelt + "==") == raw
    assert refusal(f"{head}.{body}.{respelt}").code == "identity-token-malformed"
    assert refusal(f"{head}.{body}.{signature}==").code == "identity-token-malformed"


def test_refuses_a_huge_token_before_it_is_read() -> None:
    padding = "x" * LONGEST_TOKEN

    refused = refusal(signed(claims(padding=padding)))

    assert refused.facts["reason"] == "too long"
    assert verified(signed(claims(padding=padding[:8000]))).issuer == ISSUER


@pytest.mark.parametrize(
    "issuer", ["", "https://x\x00", "https://\u202eevil", 5, "\ud800", "x" * 501]
)
def test_refuses_an_issuer_that_is_no_plain_text(issuer: Any) -> None:
    refused = refusal(signed(claims(iss=issuer)))

    assert refused.code == "claim-invalid"
    assert refused.facts["claim"] == "iss"


def test_shows_neither_the_token_nor_its_claims_by_accident() -> None:
    text = signed(claims())
    unverified = parse_unverified(text)
    token = verify(unverified, key=public_key(rsa_key()), audience=AUDIENCE, now=NOW)

    shown = f"{unverified} {unverified!r} {token} {token!r}"

    assert text not in shown
    assert text.split(".")[2] not in shown
    assert str(claims()["jti"]) not in shown
