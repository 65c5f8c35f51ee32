"""Grants, and refusals as problem documents."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from kernel.actor import (
    ANONYMOUS,
    Actor,
    Grant,
    Permission,
    PermissionMissing,
    Unauthenticated,
)
from kernel.errors import Kind, Refusal
from kernel.problems import STATUS, problem

HERE, ELSEWHERE = UUID(int=1), UUID(int=2)


def holder(permission: Permission, project: UUID | None) -> Actor:
    return Actor("holder", frozenset({Grant(permission, project)}))


@pytest.mark.parametrize(
    ("granted", "on", "asked", "allowed"),
    [
        (Permission.READ, HERE, Permission.READ, True),
        (Permission.READ, None, Permission.READ, True),
        (Permission.READ, ELSEWHERE, Permission.READ, False),
        (Permission.READ, HERE, Permission.UPLOAD, False),
        (Permission.UPLOAD, HERE, Permission.READ, False),
        (Permission.ADMINISTER, HERE, Permission.UPLOAD, True),
        (Permission.ADMINISTER, None, Permission.UPLOAD, True),
        (Permission.ADMINISTER, ELSEWHERE, Permission.UPLOAD, False),
    ],
)
def test_allows_what_a_grant_covers(
    granted: Permission, on: UUID | None, asked: Permission, *, allowed: bool
) -> None:
    assert holder(granted, on).may(asked, project=HERE) is allowed


def test_lets_no_grant_on_a_project_administer_the_instance() -> None:
    assert not holder(Permission.ADMINISTER, HERE).may(Permission.ADMINISTER, project=None)
    assert holder(Permission.ADMINISTER, None).may(Permission.ADMINISTER, project=None)


def test_tells_nobody_from_somebody_without_the_right() -> None:
    with pytest.raises(Unauthenticated):
        ANONYMOUS.require(Permission.READ, project=HERE)
    with pytest.raises(PermissionMissing):
        holder(Permission.READ, ELSEWHERE).require(Permission.READ, project=HERE)


class Example(Refusal):
    """The example was refused.

    Nobody reads this line in a problem document.
    """

    code = "example"
    kind = Kind.CONFLICT


def test_renders_a_refusal_as_rfc_9457_asks() -> None:
    refusal = Example(
        limit_bytes=5, kind_of=Kind.INVALID, at=datetime(2026, 11, 21, tzinfo=UTC), who={HERE}
    )

    document = problem(refusal, pages="https://store.test/problems", instance="/x")

    assert document == {
        "type": "https://store.test/problems/example",
        "title": "The example was refused.",
        "status": 409,
        "code": "example",
        "instance": "/x",
        "limit_bytes": 5,
        "kind_of": "invalid",
        "at": "2026-11-21T00:00:00Z",
        "who": [str(HERE)],
    }


def test_lets_no_fact_shadow_a_member_of_the_standard() -> None:
    with pytest.raises(ValueError, match="status"):
        problem(Example(status=200), pages="")


def test_gives_every_kind_a_status() -> None:
    assert set(STATUS) == set(Kind)
