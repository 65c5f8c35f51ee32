"""Where statements may be recorded: whatever is chosen, nothing of a private project is public."""

from hypothesis import given
from hypothesis import strategies as st

from provenance.domain.transparency import DEFAULT, Transparency, fitting, permitted

CHOICES = st.sampled_from(Transparency)


@given(chosen=CHOICES)
def test_lets_nothing_of_a_private_project_become_public(chosen: Transparency) -> None:
    assert permitted(chosen, is_public=False) is not Transparency.PUBLIC_LOG


@given(chosen=CHOICES)
def test_keeps_what_the_owner_of_a_public_project_chose(chosen: Transparency) -> None:
    assert permitted(chosen, is_public=True) is chosen


@given(chosen=CHOICES.filter(lambda one: one is not Transparency.PUBLIC_LOG))
def test_keeps_what_publishes_nothing(chosen: Transparency) -> None:
    assert permitted(chosen, is_public=False) is chosen


@given(offered=st.dictionaries(CHOICES, st.text()), chosen=CHOICES, is_public=st.booleans())
def test_never_takes_the_next_best_signer(
    offered: dict[Transparency, str], chosen: Transparency, *, is_public: bool
) -> None:
    wanted = permitted(chosen, is_public=is_public)

    found = fitting(offered, wanted)

    assert found == offered.get(wanted)
    if not is_public and Transparency.PUBLIC_LOG in offered and found is not None:
        assert wanted is not Transparency.PUBLIC_LOG


def test_publishes_nothing_where_nobody_chose() -> None:
    assert DEFAULT is Transparency.PRIVATE_LOG
