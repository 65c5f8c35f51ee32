"""Who keeps, takes back or removes, by the command and by HTTP …"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from access.domain.roles import Role
from access.queries import organization_place
from artifacts.models import Artifact, Hold, Yank
from tests.factories.people import account, personal_token
from tests.journeys.conftest import WIDGET, Answer, Shelf, Shop, digest_of
from tests.journeys.consumer import FILES, TOOL, Ended, Machine, artifact_of, pinned


@dataclass(frozen=True)
class Person:
    """Somebody with a token."""

    shelf: Shelf
    machine: Machine

    @property
    def token(self) -> str:
        return self.machine.token

    def run(self, *arguments: str) -> Ended:
        return self.machine.run(*arguments, "--json")

    def post(self, part: str, **members: Any) -> Answer:
        address = f"{self.shelf.shop.web.url}/api/v1/{part}"
        arguments = ("-H", "Content-Type: application/json", "-d", json.dumps(members), address)
        return self.shelf.curl(*arguments, token=self.token)

    def get(self, part: str) -> Answer:
        return self.shelf.curl(f"{self.shelf.shop.web.url}/api/v1/{part}", token=self.token)


People = Callable[..., Person]


@pytest.fixture
def people(shelf: Shelf, tmp_path: Path) -> People:
    """Somebody of this name, with this role in the organization."""

    def come(name: str, role: Role = Role.OWNER) -> Person:
        place = organization_place(shelf.shop.project.organization)
        token = personal_token(account(name, place, role))
        return Person(shelf, Machine(tmp_path, shelf.shop.web.url, token))

    return come


@pytest.fixture
def olga(people: People) -> Person:
    return people("olga")


@pytest.fixture
def otto(people: People) -> Person:
    return people("otto")


def test_holds_and_fails_to_lift_alone(shelf: Shelf, olga: Person, otto: Person) -> None:
    artifact = shelf.artifact["id"]

    placed = olga.run("hold", "place", "--artifact", artifact, "--reason", "case 7")
    again = olga.run("hold", "place", "--artifact", artifact, "--reason", "case 7")
    hold = placed.json["id"]
    removed = olga.post(f"artifacts/{artifact}/remove", reason="away with it")
    first = olga.run("hold", "lift", hold, "--reason", "closed")
    alone = olga.run("hold", "lift", hold, "--reason", "closed")
    listed = otto.run("hold", "list", "--state", "active")
    second = otto.run("hold", "lift", hold, "--reason", "yes, closed")
    late = otto.run("hold", "lift", hold, "--reason", "closed")

    assert [one.code for one in (placed, again, first, alone, listed, second, late)] == [
        *(0, 0, 0, 1, 0, 0, 1)
    ], alone.err
    assert again.json["id"] == hold
    assert Hold.objects.count() == 1
    assert (removed.status, removed.is_problem("artifact-held")) == (409, True)
    assert removed.json["holds"] == [hold]
    assert first.json["state"] == "active"
    assert alone.json["error"]["code"] == "hold-needs-another"
    assert [one["id"] for one in listed.json["holds"]] == [hold]
    assert second.json["state"] == "lifted"
    assert [one["by"] for one in second.json["lifting"]["asked"]] == ["user:olga", "user:otto"]
    assert late.json["error"]["code"] == "hold-not-active"


def test_is_told_what_is_wrong_with_a_hold(people: People, olga: Person) -> None:
    reader = people("rita", Role.READER)
    unknown = "0197d2a4-58c1-7f3e-9c55-3f2b7f0c9d11"

    for who, arguments, code, said in (
        (olga, ("place",), 2, "wrong-usage"),
        (olga, ("lift", "--reason", "x"), 2, "wrong-usage"),
        (olga, ("lift", unknown, "--reason", "x"), 3, "hold-not-found"),
        (olga, ("place", "--artifact", unknown, "--reason", "x"), 1, "hold-malformed"),
        (olga, ("place", "--paths", "***", "--reason", "x"), 1, "hold-malformed"),
        (olga, ("place", "--until", "soon", "--reason", "x"), 1, "malformed-request"),
        (reader, ("place", "--reason", "x"), 1, "permission-missing"),
        (reader, ("list",), 1, "permission-missing"),
    ):
        ended = who.run("hold", *arguments)
        assert (ended.code, ended.json["error"]["code"]) == (code, said), arguments

    assert not Hold.objects.exists()


def test_yanks_and_restores(shelf: Shelf, olga: Person) -> None:
    artifact, path = shelf.artifact["id"], shelf.artifact["path"]
    project = f"projects/{shelf.shop.project}"
    lists = (f"{project}/files", f"{project}/artifacts?path={quote(path)}")

    yanked = olga.run("yank", artifact, "--reason", "it is broken: ü")
    hidden = [olga.get(one).json["artifacts"] for one in lists]
    by_digest = olga.get(f"{project}/artifacts?sha256={digest_of(WIDGET).hex}").json["artifacts"]
    served = shelf.get("download")
    restored = olga.run("restore", artifact, "--reason", "it was not")
    shown = [len(olga.get(one).json["artifacts"]) for one in lists]

    assert (yanked.code, restored.code) == (0, 0), yanked.err + restored.err
    assert yanked.json["yanked"]["reason"] == "it is broken: ü"
    assert hidden == [[], []]
    assert by_digest[0]["yanked"]["by"] == "user:olga"
    assert (served.status, served.body) == (200, WIDGET)
    assert served.headers["strongroom-yanked"] == "it is broken%3A %C3%BC"
    assert restored.json["yanked"] is None
    assert shown == [1, 1]
    assert "strongroom-yanked" not in shelf.get("download").headers


def test_yanks_a_whole_build(shelf: Shelf, olga: Person) -> None:
    build = shelf.artifact["build"]["id"]

    yanked = olga.run("yank", "--build", build, "--reason", "all of it")
    files = olga.get(f"builds/{build}").json["artifacts"]
    restored = olga.run("restore", "--build", build, "--reason", "none of it")

    assert (yanked.code, yanked.json["artifacts"]) == (0, 1)
    assert [one["is_yanked"] for one in files] == [True]
    assert (restored.code, restored.json["artifacts"]) == (0, 1)
    assert olga.run("yank", "--reason", "x").code == 2
    assert olga.run("yank", "--build", build).json["error"]["code"] == "wrong-usage"


def test_removes_and_restores(shelf: Shelf, olga: Person) -> None:
    artifact = shelf.artifact["id"]

    removed = olga.post(f"artifacts/{artifact}/remove", reason="a secret is in it")
    gone = shelf.get("download")
    trash = olga.run("trash").json["trash"]
    restored = olga.run("restore", artifact, "--reason", "it was an example")

    assert removed.status == 200
    assert (gone.status, gone.is_problem("artifact-removed")) == (410, True)
    assert gone.json["restorable_until"] == removed.json["restorable_until"]
    assert gone.json["restored_by"] == f"an owner of {shelf.shop.project}"
    assert [one["artifact"] for one in trash] == [artifact]
    assert (restored.code, restored.json["id"]) == (0, artifact), restored.err
    assert shelf.get("download").body == WIDGET
    assert olga.run("trash").json["trash"] == []


def test_gets_nothing_of_what_is_in_quarantine(shelf: Shelf, olga: Person) -> None:
    artifact = shelf.artifact["id"]

    placed = olga.run("quarantine", artifact, "--reason", "a scanner says so")
    answers = [shelf.get(part) for part in ("download", "download_by_name", "members")]
    shown = shelf.get("self").json["quarantined"]
    released = olga.run("release", artifact, "--reason", "it was wrong")

    assert (placed.code, placed.json["quarantined"]["by"]) == (0, "user:olga"), placed.err
    assert [one.status for one in answers] == [403, 403, 403]
    assert all(one.is_problem("artifact-quarantined") for one in answers)
    assert shown["reason"] == answers[0].json["reason"] == "a scanner says so"
    assert (released.code, released.json["quarantined"]) == (0, None), released.err
    assert shelf.get("download").status == 200
    assert olga.run("quarantine", artifact).json["error"]["code"] == "wrong-usage"


def test_keeps_what_is_deployed(shelf: Shelf, olga: Person) -> None:
    artifact, project = shelf.artifact["id"], f"projects/{shelf.shop.project}"
    address = f"{project}/metadata/deployment-record"
    record = {
        "name": "widget",
        "digest": f"sha256:{digest_of(WIDGET).hex}",
        "logical_environment": "production",
        "deployment_name": "widget",
    }

    declared = olga.post(address, **record, status="deployed")
    kept = olga.post(f"artifacts/{artifact}/remove", reason="x")
    over = olga.post(address, **record, status="decommissioned")
    uses = olga.get(f"{project}/uses?kind=deployment").json["uses"]
    removed = olga.post(f"artifacts/{artifact}/remove", reason="x")

    assert (declared.status, declared.json["total_count"]) == (200, 1)
    assert declared.json["deployment_records"][0]["digest"] == record["digest"]
    assert (kept.status, kept.is_problem("artifact-kept")) == (409, True)
    assert kept.json["rule"] == "in-use"
    assert over.json["deployment_records"][0]["id"] == declared.json["deployment_records"][0]["id"]
    assert [one["protects"] for one in uses] == [False]
    assert removed.status == 200
    assert not Artifact.objects.exists()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"digest": "sha1:00"}, "malformed-request"),
        ({"digest": "sha256:" + "0" * 64}, "artifact-not-found"),
        ({"status": "sleeping"}, "malformed-request"),
        ({"registry": "x"}, "malformed-request"),
    ],
)
def test_is_refused_a_declaration_about_nothing(
    shelf: Shelf, olga: Person, changed: dict[str, Any], code: str
) -> None:
    record = {
        "name": "widget",
        "digest": f"sha256:{digest_of(WIDGET).hex}",
        "registry_url": "https://registry.example",
    }

    answer = olga.post(
        f"projects/{shelf.shop.project}/metadata/storage-record", **{**record, **changed}
    )

    assert answer.is_problem(code), answer


def test_is_warned_of_what_its_project_has_taken_back(shop: Shop, tmp_path: Path) -> None:
    with pinned(shop, tmp_path) as scene:
        artifact = artifact_of(scene.build)
        Yank.objects.create(
            artifact=artifact,
            reason="it is broken",
            marked_at=artifact.stored_at,
            marked_by="the test",
        )

        by_name = scene.pull()
        exactly = scene.pull(TOOL, "--build", str(scene.build.pk))

    assert (by_name.code, "nothing-offered" in by_name.err) == (3, True), by_name
    assert exactly.code == 0, exactly
    assert f"warning: {TOOL} was yanked by its project" in exactly.err
    assert scene.machine.files() == {"tool.bin": FILES[TOOL]}
