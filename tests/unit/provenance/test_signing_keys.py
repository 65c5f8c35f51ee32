"""The list of managed signing keys: what it says, how it changes, and that it is read whole."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provenance.domain.signing_keys import (
    Algorithm,
    Demand,
    NoSuchSigningKey,
    SigningKey,
    SigningKeyWithoutTime,
    attestor_scope,
    key_document,
    read_key,
    with_end,
    with_key,
    with_revocation,
)
from provenance.domain.trust_document import (
    MEDIA_TYPE,
    TrustDocument,
    empty_trusted_root,
    joined_roots,
    read_trust_document,
    spliced_root,
)

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
STORE = "https://store.test"
TIMESTAMPED = SigningKey(
    spki=b"a key",
    algorithm=Algorithm.ECDSA_P256,
    issuer=STORE,
    speaks_for=attestor_scope(base_url=STORE),
    demands=frozenset({Demand.TIMESTAMP, Demand.LOG}),
    since=NOW,
)
PLAIN = replace(TIMESTAMPED, spki=b"another key", demands=frozenset())
LATER = NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("identity", "may"),
    [
        (f"{STORE}/builders/github/hosted-confirmed/v1", True),
        (f"{STORE}/attestors/release/v1", True),
        (f"{STORE}/verifiers/policy/v1", False),
        (f"{STORE}/builders", False),
        ("https://store.test.evil/builders/x/y/v1", False),
        ("", False),
    ],
)
def test_speaks_for_the_builders_of_its_store_and_nobody_else(identity: str, may: bool) -> None:  # noqa: FBT001 - a table
    assert TIMESTAMPED.may_speak_for(identity) is may


def test_speaks_for_one_identity_only_where_it_is_listed_so() -> None:
    one = replace(TIMESTAMPED, speaks_for=(f"{STORE}/builders/x/y/v1",))

    assert one.may_speak_for(f"{STORE}/builders/x/y/v1")
    assert not one.may_speak_for(f"{STORE}/builders/x/y/v10")
    assert not replace(one, speaks_for=()).may_speak_for(f"{STORE}/builders/x/y/v1")


def test_never_changes_what_is_listed_but_by_an_end_or_a_revocation() -> None:
    keys = with_key((), TIMESTAMPED)

    again = with_key(keys, replace(TIMESTAMPED, demands=frozenset(), since=LATER))
    both = with_key(keys, PLAIN)

    assert again == (TIMESTAMPED,)
    assert both == (TIMESTAMPED, PLAIN)


def test_ends_only_keys_whose_time_can_be_told() -> None:
    keys = (TIMESTAMPED, PLAIN)

    assert with_end(keys, TIMESTAMPED.id, until=LATER) == (replace(TIMESTAMPED, until=LATER), PLAIN)
    with pytest.raises(SigningKeyWithoutTime):
        with_end(keys, PLAIN.id, until=LATER)
    with pytest.raises(NoSuchSigningKey):
        with_end(keys, "00" * 32, until=LATER)


def test_revokes_once() -> None:
    once = with_revocation((PLAIN,), PLAIN.id, revoked_at=NOW)

    assert once == (replace(PLAIN, revoked_at=NOW),)
    assert with_revocation(once, PLAIN.id, revoked_at=LATER) == once
    with pytest.raises(NoSuchSigningKey):
        with_revocation((PLAIN,), TIMESTAMPED.id, revoked_at=NOW)


@pytest.mark.parametrize(
    "key",
    [TIMESTAMPED, PLAIN, replace(TIMESTAMPED, until=LATER), replace(PLAIN, revoked_at=LATER)],
)
def test_reads_what_it_writes(key: SigningKey) -> None:
    document = TrustDocument(empty_trusted_root(), (key,))

    assert read_key(key_document(key)) == key
    assert read_trust_document(document.to_json()) == document
    assert read_trust_document(document.to_json()).to_json() == document.to_json()


Edit = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize(
    "edit",
    [
        lambda key: key.update(onlyOn="tuesdays"),
        lambda key: key.pop("demands"),
        lambda key: key.pop("speaksFor"),
        lambda key: key.update(demands=["timestamp", "moon"]),
        lambda key: key.update(demands="timestamp"),
        lambda key: key.update(speaksFor=[""]),
        lambda key: key.update(speaksFor=["x", "x"]),
        lambda key: key.update(issuer=""),
        lambda key: key.update(id="00" * 32),
        lambda key: key["publicKey"].update(rawBytes="AAAA"),
        lambda key: key["publicKey"].update(rawBytes="?"),
        lambda key: key["publicKey"].update(keyDetails="PKIX_ROT13"),
        lambda key: key["publicKey"].update(hint="x"),
        lambda key: key["publicKey"].update(validFor={}),
        lambda key: key["publicKey"].update(validFor={"start": "2026-11-21T08:00:00"}),
        lambda key: key["publicKey"]["validFor"].update(end=None),
        lambda key: key.update(revokedAt="soon"),
    ],
)
def test_refuses_an_entry_that_it_does_not_understand_whole(edit: Edit) -> None:
    document = json.loads(TrustDocument(empty_trusted_root(), (TIMESTAMPED,)).to_json())
    assert read_trust_document(json.dumps(document).encode()).signing_keys == (TIMESTAMPED,)

    edit(document["signingKeys"][0])

    with pytest.raises(ValueError, match="no trust root"):
        read_trust_document(json.dumps(document).encode())


@pytest.mark.parametrize(
    "edit",
    [
        lambda document: document.update(more=1),
        lambda document: document.update(signingKeys=[]),
        lambda document: document.update(signingKeys={}),
        lambda document: document["signingKeys"].append(document["signingKeys"][0]),
        lambda document: document.pop("trustedRoot"),
    ],
)
def test_refuses_a_list_that_it_does_not_understand_whole(edit: Edit) -> None:
    document = json.loads(TrustDocument(empty_trusted_root(), (TIMESTAMPED,)).to_json())

    edit(document)

    with pytest.raises(ValueError, match="no trust root"):
        read_trust_document(json.dumps(document).encode())


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a":1,"a":2}', b"[" * 100_000])
def test_refuses_what_is_no_document(content: bytes) -> None:
    with pytest.raises(ValueError, match="no trust root"):
        read_trust_document(content)


def test_leaves_a_bare_trusted_root_as_it_is() -> None:
    bare = b'{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'

    assert read_trust_document(bare) == TrustDocument(bare)
    assert TrustDocument(bare).to_json() == bare
    assert MEDIA_TYPE in TrustDocument(bare, (PLAIN,)).to_json().decode()


def test_joins_two_roots_list_by_list() -> None:
    joined = json.loads(joined_roots(b'{"tlogs": [1]}', b'{"tlogs": [2], "ctlogs": [3]}'))

    assert (joined["tlogs"], joined["ctlogs"]) == ([1, 2], [3])


@pytest.mark.parametrize(
    ("published", "spliced"),
    [([1], [1, 2]), ([8, 1, 9], [8, 1, 2, 9]), ([8, 9], [8, 9, 1, 2]), ([], [1, 2])],
)
def test_changes_its_own_entries_where_they_stand(published: list[int], spliced: list[int]) -> None:
    """Another instance's keys stay as they were published, also in their order."""
    root = json.dumps({"tlogs": published, "ctlogs": [7]}).encode()

    changed = json.loads(spliced_root(root, old=b'{"tlogs": [1]}', new=b'{"tlogs": [1, 2]}'))

    assert (changed["tlogs"], changed["ctlogs"]) == (spliced, [7])


def test_leaves_out_its_own_entry_that_is_gone() -> None:
    changed = json.loads(
        spliced_root(b'{"tlogs": [8, 1, 2]}', old=b'{"tlogs": [1, 2]}', new=b'{"tlogs": [2]}')
    )

    assert changed["tlogs"] == [8, 2]
