"""A consumer who verifies with `strongroom`: online, offline, and with too little said."""

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final, NoReturn

import pytest
from django.conf import settings
from django.utils import timezone

from artifacts import wiring
from artifacts.queries import Place
from artifacts.usecases.publish_file import Incoming, publish_file
from config.embedded import cosign, forge
from tests.factories.actors import uploader
from tests.factories.facts import witnessed
from tests.journeys.conftest import Shop
from tests.journeys.consumer import (
    BUILDER,
    FILES,
    TOOL,
    Ended,
    Scene,
    bundle_of,
    expectations_of,
    pinned,
    publish,
    root,
    trust_its_publisher,
)

ROOT: Final = Path(__file__).resolve().parents[2]
COSIGN: Final = shutil.which("cosign", path=f"{os.environ['PATH']}:{ROOT / '.cache' / 'bin'}")
SOURCE: Final = ("--repository-id", "4242", "--owner-id", "77")
STEPS: Final = [
    *("bundle", "time", "chain", "sct", "certificate", "log", "signature", "log-consistency"),
    *("payload-type", "statement", "subject", "predicate-type", "schema", "issuer"),
    *("identity", "scope", "build", "builder", "source"),
]


@pytest.fixture
def scene(shop: Shop, tmp_path: Path) -> Iterator[Scene]:
    with pinned(shop, tmp_path) as ready:
        (tmp_path / "work" / "tool.bin").write_bytes(FILES[TOOL])
        yield ready


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a socket fails the test."""

    def refuse(*_arguments: object, **_more: object) -> NoReturn:
        pytest.fail("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


class Offline:
    """Files that somebody carried over, and nothing else: no store, no token, nothing pinned."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.folder = folder
        self.machine = scene.machine
        self.bundle = self.write("bundle.json", bundle_of(scene.build))
        self.root = self.write("root.json", root())
        self.policy = self.write("policy.json", expectations_of(scene.machine))

    def write(self, name: str, content: bytes) -> str:
        (self.folder / name).write_bytes(content)
        return str(self.folder / name)

    def verify(self, *arguments: str, bundle: str = "", trust_root: str = "") -> Ended:
        environ = {"STRONGROOM_URL": "", "STRONGROOM_PROJECT": "", "STRONGROOM_TOKEN": ""}
        machine = type(self.machine)(self.folder / "bare", "", "", environ)
        given = ["--bundle", bundle or self.bundle, "--trust-root", trust_root or self.root]
        return machine.run("verify", self.machine.at("tool.bin"), *given, *arguments)


@pytest.fixture
def offline(scene: Scene, tmp_path: Path) -> Offline:
    folder = tmp_path / "carried"
    folder.mkdir()
    return Offline(scene, folder)


def test_shows_every_step_and_the_answer(scene: Scene) -> None:
    ended = scene.machine.run("verify", scene.machine.at("tool.bin"))

    assert ended.code == 0, ended
    shown = [line.split()[1].rstrip(":") for line in ended.out.splitlines() if "✓" in line]
    assert shown == STEPS
    assert ended.last.startswith("verified: SLSA_BUILD_LEVEL_1, built by")
    assert "not stated, so taken as it was signed: name, build" in ended.out


def test_answers_scripts_in_the_shape_of_the_stores_report(scene: Scene) -> None:
    ended = scene.machine.run("verify", scene.machine.at("tool.bin"), "--json", "--name", TOOL)

    report = ended.json
    assert (ended.code, report["verdict"], report["reason"]) == (0, "passed", "")
    assert report["provenance"]["repository"] == "https://github.com/acme/widget"
    assert [step["step"] for step in report["attestations"][0]["steps"]] == STEPS
    assert report["not_stated"] == ["build"]
    assert report["build"] == str(scene.build.pk)


def test_refuses_another_byte(scene: Scene) -> None:
    original, forged = Path(scene.machine.at("tool.bin")), Path(scene.machine.at("forged.bin"))
    forge.another_byte(original, forged)

    unknown = scene.machine.run("verify", str(forged))
    scene.lying.forge(r"/artifacts\?", lambda _body: lookup_of(scene))
    told = scene.machine.run("verify", str(forged))

    assert (unknown.code, "nothing-offered" in unknown.err) == (3, True)
    assert (told.code, "subject-mismatch" in told.err) == (1, True)


def lookup_of(scene: Scene) -> bytes:
    """What the store answers about the genuine bytes."""
    artifact = scene.build.artifacts.get(path=TOOL)
    one = {
        "id": str(artifact.pk),
        "path": TOOL,
        "sha256": artifact.blob.sha256,
        "size_bytes": artifact.blob.size_bytes,
        "build": {"id": str(scene.build.pk), "state": "published"},
    }
    return json.dumps({"artifacts": [one], "is_complete": True}).encode()


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--level", "1"], 0, ""),
        (["--level", "2"], 1, "level-too-low"),
        (["--name", TOOL], 0, ""),
        (["--name", "dist/other.bin"], 1, "subject-name-mismatch"),
        (["--build", "00000000-0000-4000-8000-000000000000"], 1, "build-mismatch"),
        (["--builder", BUILDER], 0, ""),
        (["--builder", BUILDER.replace("hosted-un", "self-hosted-un")], 1, "builder-not-trusted"),
        (["--builder", BUILDER, *SOURCE], 0, ""),
        (["--builder", BUILDER, "--repository-id", "1", "--owner-id", "77"], 1, "source-mismatch"),
        (
            ["--builder", BUILDER, "--repository-id", "4242", "--owner-id", "1"],
            1,
            "source-mismatch",
        ),
        (["--repository-id", "4242"], 2, "--owner-id"),
        ([*SOURCE], 2, "--builder"),
        (["--builder", "https://elsewhere.test/builders/github/hosted/v1"], 2, "one store"),
        (["--build", "first"], 2, "--build"),
    ],
)
def test_holds_a_file_against_what_is_said(
    scene: Scene, arguments: list[str], code: int, reason: str
) -> None:
    ended = scene.machine.run("verify", scene.machine.at("tool.bin"), *arguments)

    assert (ended.code, reason in ended.err) == (code, True), ended


def test_needs_files_and_no_network(offline: Offline, no_network: None) -> None:  # noqa: ARG001 - a trap
    ended = offline.verify("--policy", offline.policy)

    assert ended.code == 0, ended
    assert ended.last.startswith("verified: SLSA_BUILD_LEVEL_1")


def test_opens_a_socket_where_it_is_told_of_a_store(scene: Scene, no_network: None) -> None:  # noqa: ARG001 - a trap
    """The twin: the trap works."""
    with pytest.raises(pytest.fail.Exception):
        scene.machine.run("verify", scene.machine.at("tool.bin"))


def test_accepts_offline_what_flags_alone_accept(offline: Offline, no_network: None) -> None:  # noqa: ARG001 - a trap
    ended = offline.verify("--builder", BUILDER, *SOURCE)

    assert ended.code == 0, ended
    assert ended.last.startswith("verified: SLSA_BUILD_LEVEL_UNEVALUATED")


@pytest.mark.parametrize("arguments", [[], ["--builder", BUILDER]], ids=["nothing", "a builder"])
def test_never_calls_it_verified_where_no_source_was_stated(
    offline: Offline, arguments: list[str]
) -> None:
    ended = offline.verify(*arguments)

    assert ended.code == 2, ended
    assert "NOT verified: expectation-missing" in ended.err
    assert "found     https://token.actions.githubusercontent.com repository 4242" in ended.out


FORGERIES: Final[dict[str, tuple[Callable[[bytes], bytes], str]]] = {
    "statement": (forge.another_statement, "signature-invalid"),
    "identity": (forge.another_identity, "chain-invalid"),
    "nothing": (lambda _bundle: b"{}", "malformed-bundle"),
    "not JSON": (lambda _bundle: b"\xff\xfe", "malformed-bundle"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_refuses_a_forged_bundle_and_says_at_which_step(offline: Offline, name: str) -> None:
    change, reason = FORGERIES[name]
    genuine = Path(offline.bundle).read_bytes()
    forged = offline.write("forged.json", change(genuine))

    refused = offline.verify("--policy", offline.policy, bundle=forged)
    both = offline.verify("--policy", offline.policy, "--bundle", offline.bundle, bundle=forged)

    assert (refused.code, reason in refused.err) == (1, True), refused
    assert f": {reason}" in refused.out
    assert (both.code, both.last[:9]) == (0, "verified:")


def test_refuses_the_trust_root_of_another_store(offline: Offline) -> None:
    public = ROOT / "tests/assets/sigstore-conformance/public-good-prod-trusted_root.json"

    refused = offline.verify("--policy", offline.policy, trust_root=str(public))

    assert (refused.code, "chain-invalid" in refused.err) == (1, True), refused
    assert "strongroom trust" in refused.out


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"mediaType": "x"}'])
def test_refuses_a_trust_root_that_is_none(offline: Offline, content: bytes) -> None:
    bad = offline.write("bad.json", content)

    refused = offline.verify("--policy", offline.policy, trust_root=bad)

    assert (refused.code, "malformed-trust-root" in refused.err) == (1, True), refused


def test_refuses_a_policy_that_it_does_not_understand_whole(offline: Offline) -> None:
    document = json.loads(Path(offline.policy).read_bytes())
    document["policy"]["minimum_level"] = 3
    newer = offline.write("newer.json", json.dumps(document).encode())

    refused = offline.verify("--policy", newer)

    assert (refused.code, "malformed-expectations" in refused.err) == (1, True), refused


def test_refuses_the_policy_of_another_project(scene: Scene, offline: Offline) -> None:
    document = json.loads(Path(offline.policy).read_bytes())
    document["project"]["id"] = "00000000-0000-4000-8000-000000000000"
    other = offline.write("other.json", json.dumps(document).encode())

    refused = offline.verify("--policy", other)

    assert (refused.code, "scope-mismatch" in refused.err) == (1, True), refused
    document["project"]["name"] = "acme/other"
    named = offline.write("named.json", json.dumps(document).encode())
    mistaken = scene.machine.run("verify", scene.machine.at("tool.bin"), "--policy", named)
    assert (mistaken.code, "wrong-usage" in mistaken.err) == (2, True)


def test_accepts_a_release_only_where_the_policy_says_so(scene: Scene, shop: Shop) -> None:
    notes = Path(scene.machine.at("notes"))
    notes.write_bytes(b"notes")
    release(shop, b"notes")

    refused = scene.machine.run("verify", str(notes))
    trust_its_publisher(shop, accepts_release=True)
    still = scene.machine.run("verify", str(notes))
    named = sha256(expectations_of(scene.machine)).hexdigest()
    update = scene.machine.run("trust", "--update", "--policy-sha256", named)
    accepted = scene.machine.run("verify", str(notes))

    assert (refused.code, "release-only" in refused.err) == (1, True), refused
    assert (still.code, update.code, accepted.code) == (1, 0, 0), accepted
    assert "+ release attestations: accepted" in update.out
    assert "no build is claimed" in accepted.last


def release(shop: Shop, data: bytes) -> None:
    """A file that somebody uploaded with an API token."""
    publish_file(
        actor=uploader(shop.project),
        place=Place("acme", "widget", "notes"),
        incoming=Incoming(chunks=iter([data]), declared=None),
        store=wiring.blob_store(),
        clock=timezone.now,
    )
    shop.attest()


@pytest.mark.skipif(COSIGN is None, reason="cosign is not on PATH (.ci/run installs it)")
def test_accepts_what_cosign_accepts(
    scene: Scene, offline: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(str(COSIGN)).parent}:{os.environ['PATH']}")
    file = Path(scene.machine.at("tool.bin"))
    forged = Path(scene.machine.at("forged"))
    forge.another_byte(file, forged)
    question = cosign.Question(
        file, Path(offline.bundle), Path(offline.root), BUILDER, settings.PUBLIC_URL
    )

    assert offline.verify("--policy", offline.policy).code == 0
    assert cosign.refusal_of(question) == ""
    file.write_bytes(forged.read_bytes())
    assert offline.verify("--policy", offline.policy).code == 1
    assert cosign.refusal_of(question) != ""


def test_finds_the_statement_of_any_build_of_the_bytes(scene: Scene) -> None:
    publish(scene.shop, FILES, witnessed(run_id="9000000002", job_id="2"))

    ended = scene.machine.run("verify", scene.machine.at("tool.bin"), "--json")

    assert (ended.code, len(ended.json["attestations"])) == (0, 2)


@pytest.mark.parametrize("what", ["absent", ".", "/dev/null"])
def test_verifies_files_and_nothing_else(scene: Scene, what: str) -> None:
    ended = scene.machine.run("verify", what)

    assert (ended.code, "wrong-usage" in ended.err) == (2, True)
