"""What is left of an artifact that is gone, through the API."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from access.domain.roles import Role
from access.queries import project_place
from artifacts.models import Project, Tombstone
from artifacts.usecases.apply_retention import WEEK
from artifacts.usecases.remove_artifact import remove_artifact
from provenance.domain import slsa_v1
from provenance.usecases.attest_builds import Attestor
from tests.factories.actors import owner
from tests.factories.burying import bury, removal_attestations
from tests.factories.people import account, personal_token
from tests.factories.shelf import Kind, put

NOW = timezone.now()


@pytest.fixture
def tombstone(project: Project, attestor: Attestor) -> Tombstone:
    kind = Kind(path="dist/a", predicate=slsa_v1.PREDICATE_TYPE)
    artifact = put(project, kind, first=NOW - timedelta(days=50))
    remove_artifact(
        artifact=artifact,
        reason="a secret is in it",
        trash=WEEK,
        actor=owner(project),
        now=NOW - timedelta(days=10),
    )
    bury(attestor, NOW)
    return Tombstone.objects.get()


@pytest.fixture
def reader(project: Project) -> dict[str, str]:
    token = personal_token(account("rita", project_place(project), Role.READER))
    return {"Authorization": f"Bearer {token}"}


def test_says_what_went_and_what_is_kept(
    tombstone: Tombstone, client: Client, reader: dict[str, str]
) -> None:
    gone = client.get(f"/api/v1/artifacts/{tombstone.pk}", headers=reader)
    found = client.get(f"/api/v1/artifacts/{tombstone.pk}/tombstone", headers=reader).json()
    removal = removal_attestations().get()

    assert gone.status_code == 410
    assert gone.json()["attestation"] == str(removal.pk)
    assert (found["path"], found["reason"], found["rule"]) == ("dist/a", "a secret is in it", None)
    assert found["sha256"] == tombstone.sha256
    types = [one["predicate_type"] for one in found["attestations"]]
    assert types == [slsa_v1.PREDICATE_TYPE, removal.predicate_type]
    assert found["removal"] == found["attestations"][-1]["url"]
    bundle = client.get(found["removal"].removeprefix(settings.PUBLIC_URL), headers=reader)
    assert bundle.content == removal.kept_bundle
    assert bundle["Repr-Digest"].startswith("sha-256=")


def test_names_the_rule_and_whose_it_is(
    project: Project, tombstone: Tombstone, client: Client, reader: dict[str, str]
) -> None:
    other = Tombstone.objects.create(
        **{
            field.attname: getattr(tombstone, field.attname)
            for field in Tombstone._meta.concrete_fields  # noqa: SLF001 - Django documents it
        }
        | {"artifact_id": uuid4(), "path": "b", "reason": "", "expired_at": NOW}
        | {"rule": "old", "level": 2, "scope_id": project.pk, "version": 3}
    )

    found = client.get(f"/api/v1/artifacts/{other.pk}/tombstone", headers=reader).json()

    of = {"name": "old", "level": "project", "of": "acme/widget", "version": 3}
    assert found["rule"] == of


def test_is_not_there_for_strangers_nor_before_its_time(
    project: Project, tombstone: Tombstone, client: Client, reader: dict[str, str]
) -> None:
    live = put(project, Kind(path="b"), first=NOW)
    absent = f"/api/v1/artifacts/{uuid4()}/tombstone"
    of_stranger = client.get(f"/api/v1/artifacts/{tombstone.pk}/tombstone")

    assert of_stranger.status_code == 404
    assert of_stranger.json()["code"] == client.get(absent).json()["code"]
    for address in (absent, f"/api/v1/artifacts/{live.pk}/tombstone"):
        answer = client.get(address, headers=reader)
        assert (answer.status_code, answer.json()["code"]) == (404, "tombstone-not-found")
    other = f"/api/v1/artifacts/{tombstone.pk}/tombstone/attestations/{uuid4()}"
    assert client.get(other, headers=reader).json()["code"] == "attestation-not-found"
