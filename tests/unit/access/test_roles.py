"""Roles as one table: each may what the one below may, and nobody reaches above themselves."""

from itertools import pairwise

import pytest

from access.domain.roles import (
    PERMISSIONS,
    SERVICE_PERMISSIONS,
    Role,
    check_grantable,
    check_reach,
    role_of,
)
from access.errors import RoleAboveOwn, RoleNotAllowed
from kernel.actor import INCLUDED, Permission

ALL_PAIRS = [(own, asked) for own in Role for asked in Role]


def test_gives_each_role_more_than_the_one_below() -> None:
    ladder = [PERMISSIONS[role] for role in Role]

    assert all(lower < higher for lower, higher in pairwise(ladder))


@pytest.mark.parametrize("role", list(Role))
def test_finds_the_role_of_its_permissions(role: Role) -> None:
    assert role_of(PERMISSIONS[role]) is role
    highest = max(PERMISSIONS[role], key=lambda one: len(INCLUDED[one]))
    assert INCLUDED[highest] <= PERMISSIONS[role]


def test_finds_no_role_where_not_even_reading_is_allowed() -> None:
    assert role_of([]) is None
    assert role_of([Permission.UPLOAD]) is None


@pytest.mark.parametrize(("own", "asked"), ALL_PAIRS)
def test_reaches_as_high_as_the_own_role_and_no_higher(own: Role, asked: Role) -> None:
    if asked.rank <= own.rank:
        check_reach(asked, own=own)
        check_grantable(asked, own=own, is_project=False)
    else:
        with pytest.raises(RoleAboveOwn):
            check_reach(asked, own=own)
        with pytest.raises(RoleAboveOwn):
            check_grantable(asked, own=own, is_project=False)


@pytest.mark.parametrize("asked", list(Role))
def test_reaches_nothing_without_a_role(asked: Role) -> None:
    with pytest.raises(RoleAboveOwn):
        check_reach(asked, own=None)


def test_makes_nobody_the_owner_of_a_single_project() -> None:
    check_grantable(Role.MAINTAINER, own=Role.OWNER, is_project=True)
    with pytest.raises(RoleNotAllowed):
        check_grantable(Role.OWNER, own=Role.OWNER, is_project=True)


def test_keeps_deciding_about_people_from_services() -> None:
    assert Permission.OWN not in SERVICE_PERMISSIONS
