"""Who keeps, takes back or removes, by the command and by HTTP …"""

import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any
from urllib.parse import quote

import pytest

from access.domain.roles import Role
from access.queries import organization_place
from artifacts.models import Artifact, Hold
from client import cli
from tests.factories.people import account, personal_token
from tests.journeys.conftest import WIDGET, Answer, Shelf, digest_of

Curl = Callable[..., Answer]


@dataclass(frozen=True)
class Ended:
    """How the command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass(frozen=True)
class Person:
    """Somebody with a token."""

    shelf: Shelf
    token: str

    def run(self, *arguments: str) -> Ended:
        out, err = StringIO(), StringIO()
        environ = {
            "STRONGROOM_URL": self.shelf.shop.web.url,
            "STRONGROOM_PROJECT": str(self.shelf.shop.project),
            "STRONGROOM_TOKEN": self.token,
            "HOME": "/nowhere",
        }
        with redirect_stdout(out), redirect_stderr(err):
            code = cli.run([*arguments, "--json"], environ)
        return Ended(int(code), out.getvalue(), err.getvalue())

    def post(self, part: str, **members: Any) -> Answer:
        address = f"{self.shelf.shop.web.url}/api/v1/{part}"
        arguments = ("-H", "Content-Type: application/json", "-d", json.dumps(members), address)
        return self.shelf.curl(*arguments, token=self.token)

    def get(self, part: str) -> Answer:
        return self.shelf.curl(f"{self.shelf.shop.web.url}/api/v1/{part}", token=self.token)


def person(shelf: Shelf, name: str, role: Role) -> Person:
    place = organization_place(shelf.shop.project.organization)
    return Person(shelf, personal_token(account(name, place, role)))


@pytest.fixture
def olga(shelf: Shelf) -> Person:
    return person(shelf, "olga", Role.OWNER)


@pytest.fixture
def otto(shelf: Shelf) -> Person:
    return person(shelf, "otto", Role.OWNER)


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


def test_is_told_what_is_wrong_with_a_hold(shelf: Shelf, olga: Person) -> None:
    reader = person(shelf, "rita", Role.READER)
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
    trash = olga.get(f"projects/{shelf.shop.project}/trash").json["trash"]
    restored = olga.run("restore", artifact, "--reason", "it was an example")

    assert removed.status == 200
    assert (gone.status, gone.is_problem("artifact-removed")) == (410, True)
    assert gone.json["restorable_until"] == removed.json["restorable_until"]
    assert gone.json["restored_by"] == f"an owner of {shelf.shop.project}"
    assert [one["artifact"] for one in trash] == [artifact]
    assert (restored.code, restored.json["id"]) == (0, artifact), restored.err
    assert shelf.get("download").body == WIDGET
    assert olga.get(f"projects/{shelf.shop.project}/trash").json["trash"] == []


def test_gets_nothing_of_what_is_in_quarantine(shelf: Shelf, olga: Person) -> None:
    artifact = shelf.artifact["id"]

    placed = olga.post(f"artifacts/{artifact}/quarantine", reason="a scanner says so")
    answers = [shelf.get(part) for part in ("download", "download_by_name", "members")]
    shown = shelf.get("self").json["quarantined"]
    released = olga.post(f"artifacts/{artifact}/release", reason="it was wrong")

    assert placed.status == 200
    assert [one.status for one in answers] == [403, 403, 403]
    assert all(one.is_problem("artifact-quarantined") for one in answers)
    assert shown["reason"] == answers[0].json["reason"] == "a scanner says so"
    assert (released.status, shelf.get("download").status) == (200, 200)


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
