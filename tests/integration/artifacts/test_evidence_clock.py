"""The clock of evidence over all builds is the rule's of each; and pages and answers tell of it."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from access.domain.roles import Role
from access.queries import organization_place, project_place
from artifacts.domain.evidence_clock import KeptBy, Remains
from artifacts.domain.patterns import Pattern
from artifacts.models import (
    Artifact,
    DeclaredUse,
    Hold,
    HoldLifting,
    Project,
    Tombstone,
    TrashedArtifact,
)
from artifacts.queries.ending import builds_due, clock_of
from artifacts.usecases.create_project import create_project
from config.owner import as_owner
from provenance.models import Attestation, AttestationRequest
from tests.factories.actors import administrator
from tests.factories.endings import DAYS, FIRST, NOW, end
from tests.factories.graves import ATTESTED, beside, bury_row, gone, trash_row
from tests.factories.people import account, owner_at_a_browser, personal_token
from tests.factories.shelf import put

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "migrator"])
LIFE = timedelta(days=DAYS)
PATHS = ("a", "dist/b")


@dataclass(frozen=True, slots=True)
class Told:
    """What has happened to a build of two files; days are behind the first."""

    places: tuple[str, str]
    buried: tuple[int, int]
    is_awaited: bool
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Shield:
    """A hold or a use of one of the two builds; `ends` is its end in days, or None."""

    kind: str
    build: int
    file: int
    ends: int | None
    is_over: bool


DAY = st.integers(min_value=480, max_value=520)
BUILDS = st.builds(
    Told,
    places=st.tuples(*[st.sampled_from(["gone", "gone", "gone", "trash", "stored"])] * 2),
    buried=st.tuples(DAY, DAY),
    is_awaited=st.sampled_from([False, False, False, True]),
    is_changed=st.sampled_from([False, False, False, True]),
)
SHIELDS = st.builds(
    Shield,
    kind=st.sampled_from(["artifact", "build", "paths", "project", "use"]),
    build=st.sampled_from([0, 1]),
    file=st.sampled_from([0, 1]),
    ends=st.sampled_from([None, 880, 899, 900, 920]),
    is_over=st.booleans(),
)


def build_of(project: Project, told: Told) -> Artifact:
    """Its first file, as it was; rows say where both are now."""
    first = put(project, replace(ATTESTED, path=PATHS[0]), first=FIRST)
    files = (first, beside(first, PATHS[1]))
    for file, place, day in zip(files, told.places, told.buried, strict=True):
        if place == "gone":
            bury_row(file, at=FIRST + timedelta(days=day))
        elif place == "trash":
            trash_row(file, at=NOW)
    if told.is_awaited:
        AttestationRequest.objects.create(
            organization_id=project.organization_id,
            project_id=project.pk,
            build_id=first.build_id,
            subjects=[],
            **dict.fromkeys(("opened_at", "sealed_at", "requested_at", "next_attempt_at"), FIRST),
        )
    if told.is_changed:
        with as_owner():
            Attestation.objects.filter(build_id=first.build_id).update(bundle=b"forged")
    return first


def shield_of(project: Project, files: list[list[Artifact]], shield: Shield) -> None:
    file = files[shield.build][shield.file]
    ends_at = FIRST + timedelta(days=shield.ends) if shield.ends is not None else None
    if shield.kind == "use":
        DeclaredUse.objects.create(
            project=project,
            sha256=file.blob.sha256,
            kind="release",
            identity=str(uuid4()),
            document={},
            protects=not shield.is_over,
            ends_at=ends_at,
            declared_at=FIRST,
            declared_by="the test",
        )
        return
    paths = Pattern(f"{file.path[0]}*") if shield.kind == "paths" else None
    hold = Hold.objects.create(
        project=project,
        artifact_id=file.pk if shield.kind == "artifact" else None,
        build_id=file.build_id if shield.kind == "build" else None,
        paths=paths.text if paths is not None else None,
        expression=paths.expression if paths is not None else None,
        reason="case",
        placed_at=FIRST,
        placed_by="the test",
        ends_at=ends_at,
    )
    if shield.is_over:
        HoldLifting.objects.create(hold=hold, lifted_at=NOW)


def remains_of(project: Project, build: Artifact, told: Told) -> Remains | None:
    """What the rule is asked, gathered file by file."""
    graves = Tombstone.objects.filter(build_id=build.build_id)
    if not graves:
        return None
    held = [
        hold.standing.until
        for hold in Hold.objects.filter(project=project)
        for one in graves
        if hold.reach.covers(artifact=one.artifact_id, build=one.build_id, path=one.path)
        and hold.standing.until is not None
    ]
    far = NOW + timedelta(days=9999)
    digests = [one.sha256 for one in graves]
    uses = DeclaredUse.objects.filter(project=project, sha256__in=digests, protects=True)
    return Remains(
        last_buried_at=max(one.buried_at for one in graves),
        is_stored=Artifact.objects.filter(build_id=build.build_id).exists(),
        is_in_trash=TrashedArtifact.objects.filter(build_id=build.build_id).exists(),
        is_awaited=told.is_awaited,
        held_until=max(held, default=None),
        in_use_until=max((one.ends_at or far for one in uses), default=None),
        is_as_recorded=not told.is_changed,
    )


def test_says_of_all_builds_what_the_rule_says_of_each(project: Project) -> None:
    @hypothesis_settings(
        deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(st.tuples(BUILDS, BUILDS), st.lists(SHIELDS, max_size=3))
    def holds(told: tuple[Told, Told], shields: list[Shield]) -> None:
        place = create_project(
            actor=administrator(),
            organization=project.organization.slug,
            slug=f"p{uuid4().hex}",
            is_public=False,
            now=NOW,
        )
        built = [build_of(place, one) for one in told]
        files = [[one, _file(one)] for one in built]
        for shield in shields:
            shield_of(place, files, shield)

        due = set()
        for one, what in zip(built, told, strict=True):
            remains = remains_of(place, one, what)
            clock = clock_of(one.build_id, life=LIFE, now=NOW)
            for_ever = clock_of(one.build_id, life=None, now=NOW)
            assert (clock is None) == (remains is None)
            if remains is None or clock is None or for_ever is None:
                continue
            assert clock.kept_by == remains.kept_by(LIFE, now=NOW)
            assert clock.kept_until == remains.kept_until(LIFE)
            assert for_ever.kept_by == remains.kept_by(None, now=NOW) is not None
            assert for_ever.kept_until is None
            if clock.kept_by is None:
                due.add(one.build_id)
        assert set(builds_due(project=place.pk, life=LIFE, now=NOW)) == due

    holds()


def _file(first: Artifact) -> Artifact:
    """The second file of its build, wherever it is now."""
    of_build = {"build_id": first.build_id, "path": PATHS[1]}
    for table, key in ((Artifact, "pk"), (TrashedArtifact, "pk"), (Tombstone, "artifact_id")):
        row = table._default_manager.filter(**of_build).first()  # noqa: SLF001 - Django documents it
        if row is not None:
            return _like(first, getattr(row, key))
    raise LookupError(first.build_id)


def _like(first: Artifact, key: object) -> Artifact:
    names = [one.attname for one in Artifact._meta.concrete_fields]  # noqa: SLF001 - as above
    row = {name: getattr(first, name) for name in names}
    return Artifact(**{**row, "id": key, "path": PATHS[1]})


@pytest.fixture
def reader(project: Project) -> dict[str, str]:
    token = personal_token(account("rita", project_place(project), Role.READER))
    return {"Authorization": f"Bearer {token}"}


def test_is_told_with_the_tombstone(
    project: Project, client: Client, reader: dict[str, str], settings: Settings
) -> None:
    one = gone(project, first=FIRST, buried_at=NOW - LIFE + timedelta(days=1))
    address = f"/api/v1/artifacts/{one.tombstone.pk}/tombstone"

    for_ever = client.get(address, headers=reader).json()["evidence"]
    settings.EVIDENCE_DAYS = LIFE.days
    timed = client.get(address, headers=reader).json()["evidence"]
    settings.EVIDENCE_DAYS = LIFE.days - 1
    over = client.get(address, headers=reader).json()["evidence"]

    assert for_ever == {"kept_until": None, "kept_by": KeptBy.TIME}
    assert timed["kept_by"] == KeptBy.TIME
    assert timed["kept_until"][:10] == f"{NOW + timedelta(days=1):%Y-%m-%d}"
    assert over["kept_by"] is None


def test_leaves_a_refusal_with_the_digest_of_what_it_was(
    project: Project, client: Client, reader: dict[str, str]
) -> None:
    one = gone(project, first=FIRST, buried_at=NOW - LIFE)
    address = f"/api/v1/artifacts/{one.tombstone.pk}/tombstone"
    end()

    document = client.get(address, headers=reader).json()
    refused = client.get(f"{address}/attestations/{one.attestation.pk}", headers=reader)
    removal = client.get(document["removal"].removeprefix(settings.PUBLIC_URL), headers=reader)

    assert document["evidence"] is None
    of_build, of_removal = document["attestations"]
    assert of_build["bundle_sha256"] == one.attestation.bundle_sha256
    assert of_build["ended_at"][:19] == f"{NOW:%Y-%m-%dT%H:%M:%S}"
    assert of_removal["ended_at"] is None
    assert (refused.status_code, refused.json()["code"]) == (410, "evidence-ended")
    assert refused.json()["bundle_sha256"] == one.attestation.bundle_sha256
    assert refused.json()["manifest_sha256"] is None
    assert removal.status_code == 200


def test_is_told_by_the_pages(project: Project, settings: Settings) -> None:
    one = gone(project, first=FIRST, buried_at=NOW - LIFE)
    olga = owner_at_a_browser(organization_place(project.organization))
    page = f"/artifacts/{one.tombstone.pk}/history"

    for_ever = olga.get(page).content.decode()
    settings.EVIDENCE_DAYS = LIFE.days
    over = olga.get(page).content.decode()
    settings.EVIDENCE_DAYS = LIFE.days + 1
    timed = olga.get(page).content.decode()
    end()
    ended = olga.get(page).content.decode()

    assert "Kept for ever." in for_ever
    assert f"Its time was over on {NOW:%Y-%m-%d}: an operator of the store may end it." in over
    assert "then an operator of the store may end it" in timed
    assert "its bundle ended" in ended
    assert "Kept until" not in ended
