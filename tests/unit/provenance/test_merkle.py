"""The stored tree agrees with RFC 6962 read literally: recursive, over all leaves, no storage."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.domain import merkle
from provenance.domain.merkle import Place, Span

SIZES = st.integers(min_value=0, max_value=130)


def bodies(size: int) -> list[bytes]:
    return [f"leaf {index}".encode() for index in range(size)]


def reference_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + reference_root(leaves[:k]) + reference_root(leaves[k:])).digest()


def reference_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*reference_path(m, leaves[:k]), reference_root(leaves[k:])]
    return [*reference_path(m - k, leaves[k:]), reference_root(leaves[:k])]


def reference_proof(m: int, leaves: list[bytes], *, known: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962, section 2.1.2."""
    if m == len(leaves):
        return [] if known else [reference_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*reference_proof(m, leaves[:k], known=known), reference_root(leaves[k:])]
    return [*reference_proof(m - k, leaves[k:], known=False), reference_root(leaves[:k])]


def stored(size: int) -> dict[Place, bytes]:
    return merkle.appended(0, [merkle.leaf_hash(body) for body in bodies(size)], {})


@given(SIZES)
def test_computes_the_root_of_the_rfc(size: int) -> None:
    assert merkle.root(size, stored(size).__getitem__) == reference_root(bodies(size))


@given(SIZES, SIZES)
def test_computes_every_past_root_from_the_present_tree(first: int, second: int) -> None:
    first, second = sorted((first, second))

    assert merkle.root(first, stored(second).__getitem__) == reference_root(bodies(first))


@given(st.lists(st.integers(min_value=0, max_value=40), max_size=5))
def test_grows_in_batches_as_it_grows_at_once(batches: list[int]) -> None:
    nodes: dict[Place, bytes] = {}
    size = 0
    for batch in batches:
        known = {place: nodes[place] for place in merkle.cover(Span(0, size))}
        leaves = [merkle.leaf_hash(body) for body in bodies(size + batch)[size:]]
        created = merkle.appended(size, leaves, known)

        assert not created.keys() & nodes.keys()
        nodes |= created
        size += batch

    assert nodes == stored(size)


@given(st.integers(min_value=1, max_value=130), st.data())
def test_proves_inclusion_as_the_rfc_does(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(min_value=0, max_value=size - 1))

    proof = merkle.inclusion_proof(index, size, stored(size).__getitem__)

    assert proof == reference_path(index, bodies(size))


@given(
    st.integers(min_value=0, max_value=100),
    st.integers(min_value=1, max_value=40),
    st.data(),
)
def test_proves_new_leaves_from_the_old_border_and_what_was_created(
    size: int, batch: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(min_value=size, max_value=size + batch - 1))
    everything = stored(size + batch)
    old = {place: everything[place] for place in merkle.cover(Span(0, size))}
    new = merkle.appended(
        size, [merkle.leaf_hash(body) for body in bodies(size + batch)[size:]], old
    )

    proof = merkle.inclusion_proof(index, size + batch, (old | new).__getitem__)

    assert proof == reference_path(index, bodies(size + batch))


@given(st.integers(min_value=1, max_value=130), st.integers(min_value=1, max_value=130))
def test_proves_consistency_as_the_rfc_does(first: int, second: int) -> None:
    first, second = sorted((first, second))

    proof = merkle.consistency_proof(first, second, stored(second).__getitem__)

    assert proof == reference_proof(first, bodies(second), known=True)


def test_needs_no_proof_that_the_empty_tree_is_a_prefix() -> None:
    assert merkle.consistency_proof(0, 5, stored(5).__getitem__) == []


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_refuses_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_spans(index, size)


@pytest.mark.parametrize(("first", "second"), [(6, 5), (-1, 5)])
def test_refuses_a_prefix_longer_than_the_tree(first: int, second: int) -> None:
    with pytest.raises(ValueError, match="no prefix"):
        merkle.consistency_spans(first, second)


def test_agrees_with_the_published_test_vectors() -> None:
    # The eight leaves and root of certificate-transparency-go's merkle tests (RFC 6962 tree).
    leaves = [
        bytes.fromhex(text)
        for text in (
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        )
    ]
    nodes = merkle.appended(0, [merkle.leaf_hash(leaf) for leaf in leaves], {})

    assert (
        merkle.root(8, nodes.__getitem__).hex()
        == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )
