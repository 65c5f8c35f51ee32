"""A declaration that bytes are in use …"""

from typing import Any

import pytest

from artifacts.domain.declarations import STATUSES, Kind, identity, protects

DEPLOYED = {
    "digest": "sha256:" + "a" * 64,
    "status": "deployed",
    "logical_environment": "production",
    "physical_environment": "eu",
    "cluster": "one",
    "deployment_name": "widget",
}
STORED = {
    "digest": "sha256:" + "a" * 64,
    "status": "active",
    "registry_url": "https://registry.example",
    "repository": "widgets",
    "name": "widget",
}


@pytest.mark.parametrize(
    ("kind", "status", "does"),
    [
        (Kind.STORAGE, "active", True),
        (Kind.STORAGE, "eol", True),
        (Kind.STORAGE, "deleted", False),
        (Kind.DEPLOYMENT, "deployed", True),
        (Kind.DEPLOYMENT, "decommissioned", False),
        (Kind.RELEASE, "published", True),
        (Kind.RELEASE, "withdrawn", False),
        (Kind.RESTORING, "restored", True),
    ],
)
def test_protects_while_its_status_says_so(kind: Kind, status: str, *, does: bool) -> None:
    assert protects(kind, {"status": status}) is does


def test_knows_what_every_kind_may_say() -> None:
    assert STATUSES.keys() == set(Kind)


@pytest.mark.parametrize(
    "changed", ["logical_environment", "physical_environment", "cluster", "deployment_name"]
)
def test_of_a_deployment_is_about_a_place(changed: str) -> None:
    other = {**DEPLOYED, changed: "another"}

    assert identity(Kind.DEPLOYMENT, DEPLOYED) != identity(Kind.DEPLOYMENT, other)


@pytest.mark.parametrize("changed", ["digest", "status", "version"])
def test_of_a_deployment_is_the_same_whatever_runs_there(changed: str) -> None:
    other: dict[str, Any] = {**DEPLOYED, changed: "another"}

    assert identity(Kind.DEPLOYMENT, DEPLOYED) == identity(Kind.DEPLOYMENT, other)


@pytest.mark.parametrize("changed", ["digest", "registry_url", "repository", "name"])
def test_of_a_copy_is_about_bytes_in_a_registry(changed: str) -> None:
    other = {**STORED, changed: "another"}

    assert identity(Kind.STORAGE, STORED) != identity(Kind.STORAGE, other)


def test_is_not_taken_for_another_by_where_its_words_end() -> None:
    one = {**DEPLOYED, "physical_environment": "eu1", "cluster": ""}
    other = {**DEPLOYED, "physical_environment": "eu", "cluster": "1"}

    assert identity(Kind.DEPLOYMENT, one) != identity(Kind.DEPLOYMENT, other)
