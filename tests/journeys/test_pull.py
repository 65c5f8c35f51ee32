"""A consumer who pulls with `strongroom`: a lying store never yields a file with a name."""

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat import asn1
from django.conf import settings

from artifacts.models import Build, Project
from client import lookup
from client.credentials import ApiToken
from client.download import Transfer, Wanted
from client.errors import StoreUnreachable
from client.http import Store
from client.origin import Origin
from config.embedded import forge
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from tests.factories.bundles import Instance, Leaf, Parts, encoded, uri
from tests.factories.facts import witnessed
from tests.journeys.conftest import ROOT, Shop, digest_of
from tests.journeys.consumer import (
    BUILDER,
    FILES,
    TOOL,
    Scene,
    artifact_of,
    bundle_of,
    expectations_of,
    pinned,
    publish,
)

DATA: Final = FILES[TOOL]
OTHER: Final = DATA[:-1] + b"\0"


@pytest.fixture
def scene(shop: Shop, tmp_path: Path) -> Iterator[Scene]:
    with pinned(shop, tmp_path) as ready:
        yield ready


def in_json(change: Callable[[Any], None]) -> Callable[[bytes], bytes]:
    def changed(body: bytes) -> bytes:
        document = json.loads(body)
        change(document)
        return json.dumps(document).encode()

    return changed


def announce(data: bytes) -> Callable[[bytes], bytes]:
    """The tool has the digest and the size of other bytes."""

    def change(document: Any) -> None:
        for one in document["artifacts"]:
            one["sha256"], one["size_bytes"] = digest_of(data).hex, len(data)

    return in_json(change)


Lie = Callable[[Scene], None]


def other_bytes(scene: Scene) -> None:
    scene.lying.forge("/download$", lambda _body: OTHER)


def longer_bytes(scene: Scene) -> None:
    scene.lying.forge("/download$", lambda body: body + b"more")


def shorter_bytes(scene: Scene) -> None:
    scene.lying.forge("/download$", lambda body: body[:-1])


def other_bytes_announced(scene: Scene) -> None:
    """The whole store tells the same lie."""
    scene.lying.forge(r"/artifacts\?", announce(OTHER))
    other_bytes(scene)


def bytes_of_another_name(scene: Scene) -> None:
    """Bytes of the same build, with a genuine statement, under a name that is not theirs."""
    notes = FILES["dist/notes.txt"]
    scene.lying.forge(r"/artifacts\?", announce(notes))
    scene.lying.forge("/download$", lambda _body: notes)


def edited_statement(scene: Scene) -> None:
    scene.lying.forge("/attestations/", forge.another_statement)


def certificate_of_their_own(scene: Scene) -> None:
    scene.lying.forge("/attestations/", forge.another_identity)


def no_bundle(scene: Scene) -> None:
    scene.lying.forge("/attestations/", lambda _body: b"{}")


def no_attestation(scene: Scene) -> None:
    empty = in_json(lambda document: document.update(attestations=[]))
    scene.lying.forge("/attestations$", empty)


def statement_of_another_build(scene: Scene) -> None:
    other = publish(scene.shop, FILES, witnessed(run_id="9000000002", job_id="2"))
    bundle = bundle_of(other)
    older = in_json(lambda document: document["artifacts"].reverse())
    scene.lying.forge(r"/artifacts\?", older)  # so that the first build's is the one
    scene.lying.forge("/attestations/", lambda _body: bundle)


def statement_of_another_project(scene: Scene) -> None:
    place = Project.objects.get(slug="other")
    bundle = bundle_of(publish(scene.shop, FILES, project=place))
    scene.lying.forge("/attestations/", lambda _body: bundle)


def statement_of_another_repository(scene: Scene) -> None:
    """A publisher that was added after the consumer had pinned: maybe by a thief of the store."""
    other = publish(scene.shop, FILES, witnessed(repository_id="6666", run_id="6", job_id="6"))
    Build.objects.filter(pk=scene.build.pk).update(state="refused")
    assert other.pk != scene.build.pk


def keys_of_another_store(scene: Scene) -> None:
    """The genuine statement, signed by a private Sigstore; the store serves its root as well."""
    theirs = Instance()
    genuine = json.loads(bundle_of(scene.build))
    leaf = Leaf(
        names=(uri(BUILDER),),
        texts={8: asn1.encode_der(settings.PUBLIC_URL), 9: asn1.encode_der(BUILDER)},
    )
    payload = base64.b64decode(genuine["dsseEnvelope"]["payload"])
    bundle = encoded(theirs.bundle(Parts(payload=payload, leaf=leaf)))
    scene.lying.forge("/attestations/", lambda _body: bundle)
    scene.lying.forge("/.well-known/", lambda _body: theirs.trust_root())
    assert SigstoreVerifier().verify(bundle, trust_root=theirs.trust_root()).verified is not None


LIES: Final[dict[Lie, str]] = {
    other_bytes: "download-differs",
    longer_bytes: "download-differs",
    shorter_bytes: "download-differs",
    other_bytes_announced: "subject-mismatch",
    bytes_of_another_name: "subject-name-mismatch",
    edited_statement: "signature-invalid",
    certificate_of_their_own: "chain-invalid",
    keys_of_another_store: "chain-invalid",
    no_bundle: "malformed-bundle",
    no_attestation: "no-attestation",
    statement_of_another_build: "build-mismatch",
    statement_of_another_project: "scope-mismatch",
    statement_of_another_repository: "source-mismatch",
}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_yields_no_file_of_a_lying_store(scene: Scene, lie: Lie) -> None:
    honest = scene.pull()
    assert (honest.code, scene.machine.files()) == (0, {"tool.bin": DATA})
    (scene.machine.folder / "work" / "tool.bin").unlink()

    lie(scene)
    ended = scene.pull("--newest", TOOL)

    assert ended.code == 1, ended
    assert LIES[lie] in ended.err
    assert scene.machine.files() == {}


def test_says_verified_with_who_built_it(scene: Scene) -> None:
    ended = scene.pull()

    assert ended.code == 0, ended
    assert "verified: SLSA_BUILD_LEVEL_1, built by" in ended.out
    assert "https://github.com/acme/widget at aaaa" in ended.out
    assert "the store says of itself: passed" in ended.err
    assert (scene.machine.folder / "work" / "tool.bin").stat().st_mode & 0o600 == 0o600


def test_pulls_all_files_of_a_build_with_their_paths(scene: Scene) -> None:
    ended = scene.machine.run(
        "pull", "--build", str(scene.build.pk), "-o", scene.machine.at("all"), "--json"
    )

    assert ended.code == 0, ended
    assert scene.machine.files() == {f"all/{path}": data for path, data in FILES.items()}
    assert [one["verdict"] for one in ended.json["files"]] == ["passed", "passed"]
    bundles = [path for path, _headers in scene.lying.asked if "/attestations/" in path]
    assert len(bundles) == 1


def test_keeps_the_bundle_for_checks_without_the_store(scene: Scene) -> None:
    ended = scene.pull(TOOL, "--with-bundle")
    again = scene.pull(TOOL, "--with-bundle")

    assert (ended.code, again.code) == (0, 0), ended
    bundle = bundle_of(scene.build)
    assert scene.machine.files() == {"tool.bin": DATA, "tool.bin.sigstore.json": bundle}


@pytest.mark.parametrize("form", ["id", "download", "name"])
def test_pulls_by_an_address_of_the_store(scene: Scene, form: str) -> None:
    base = f"{scene.lying.url}/api/v1"
    artifact = artifact_of(scene.build).pk
    address = {
        "id": f"{base}/artifacts/{artifact}",
        "download": f"{base}/artifacts/{artifact}/download",
        "name": f"{base}/projects/acme/widget/builds/{scene.build.pk}/artifacts/{TOOL}",
    }[form]

    assert scene.pull(address).code == 0
    assert scene.machine.files() == {"tool.bin": DATA}
    elsewhere = scene.pull(address.replace("127.0.0.1", "localhost"))
    assert (elsewhere.code, "wrong-usage" in elsewhere.err) == (2, True)


def test_pulls_nothing_of_another_project_by_an_address(scene: Scene) -> None:
    foreign = publish(scene.shop, FILES, project=Project.objects.get(slug="other"))
    Project.objects.update(is_public=True)
    address = f"{scene.lying.url}/api/v1/artifacts/{artifact_of(foreign).pk}"

    by_address = scene.pull(address)
    by_build = scene.machine.run("pull", "--build", str(foreign.pk), "-o", scene.machine.at("all"))

    assert (by_address.code, by_build.code, scene.machine.files()) == (3, 3, {})


def test_gives_up_where_every_transfer_breaks_off(scene: Scene) -> None:
    offered = lookup.at_path(store_of(scene), "acme/widget", TOOL)[0]
    address = lookup.download_address(store_of(scene), offered)
    scene.lying.cut_after = [100_000, *[0] * 20]
    waits: list[float] = []
    wanted = Wanted(address, offered.digest, offered.size_bytes)

    with tempfile.TemporaryFile() as opened, pytest.raises(StoreUnreachable):
        Transfer(store_of(scene), wanted, opened, waits.append).run()

    assert waits == [0, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5]


def store_of(scene: Scene) -> Store:
    return Store(Origin.parse(scene.lying.url), ApiToken(scene.machine.token))


def test_asks_which_build_is_meant_where_several_differ(scene: Scene) -> None:
    publish(scene.shop, {TOOL: OTHER}, witnessed(run_id="9000000002", job_id="2"))

    unsure = scene.pull()
    first = scene.pull(TOOL, "--build", str(scene.build.pk))

    assert (unsure.code, "--newest" in unsure.err) == (2, True)
    assert (first.code, scene.machine.files()) == (0, {"tool.bin": DATA})
    newest = scene.pull(TOOL, "--newest", "--force")
    assert (newest.code, scene.machine.files()) == (0, {"tool.bin": OTHER})


def test_leaves_a_file_with_other_bytes_as_it_is(scene: Scene) -> None:
    file = scene.machine.folder / "work" / "tool.bin"
    file.write_bytes(b"mine")

    refused = scene.pull()

    assert (refused.code, file.read_bytes()) == (1, b"mine")
    assert "file-exists" in refused.err
    assert scene.pull(TOOL, "--force").code == 0
    assert file.read_bytes() == DATA
    scene.lying.asked.clear()
    assert scene.pull().code == 0
    assert not [path for path, _headers in scene.lying.asked if path.endswith("/download")]


def test_keeps_a_file_of_another_where_the_new_one_is_forged(scene: Scene) -> None:
    file = scene.machine.folder / "work" / "tool.bin"
    file.write_bytes(b"mine")
    other_bytes(scene)

    refused = scene.pull(TOOL, "--force")

    assert (refused.code, scene.machine.files()) == (1, {"tool.bin": b"mine"})


def test_goes_on_where_a_transfer_broke_off(scene: Scene) -> None:
    scene.lying.cut_after = [100_000, 5, 0, 700_000]

    ended = scene.pull()

    assert (ended.code, scene.machine.files()) == (0, {"tool.bin": DATA})
    ranges = [
        headers.get("Range") for path, headers in scene.lying.asked if path.endswith("/download")
    ]
    assert ranges == [None, "bytes=100000-", "bytes=100005-", "bytes=100005-", "bytes=800005-"]


def test_starts_afresh_where_the_pieces_do_not_fit(scene: Scene) -> None:
    """The second piece is of other bytes; the third transfer is whole and right."""
    scene.lying.cut_after = [100_000]
    is_forged = iter([False, True])

    def second_is_forged(body: bytes) -> bytes:
        return bytes(len(body)) if next(is_forged, False) else body

    scene.lying.forge("/download$", second_is_forged)

    ended = scene.pull()

    assert (ended.code, scene.machine.files()) == (0, {"tool.bin": DATA})


def test_leaves_nothing_when_it_is_interrupted(scene: Scene) -> None:
    scene.lying.stall_at = 100_000
    command = [sys.executable, "-m", "client", "pull", TOOL, "-o", f"{scene.machine.at('')}/"]
    environ = {**scene.machine.environ, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=scene.machine.folder, env=environ) as running:
        assert scene.lying.stalled.wait(60)

        running.send_signal(signal.SIGINT)

        assert running.wait(60) == 130
    assert scene.machine.files() == {}


def test_believes_no_trust_root_that_it_did_not_have_before(scene: Scene) -> None:
    assert scene.pull().code == 0
    (scene.machine.folder / "work" / "tool.bin").unlink()
    stranger = replace(scene.machine, folder=scene.machine.folder / "another")
    (stranger.folder / "work").mkdir(parents=True)

    policy = stranger.folder / "policy.json"
    policy.write_bytes(expectations_of(stranger))

    refused = stranger.run("pull", TOOL, "--policy", str(policy))

    assert (refused.code, "trust-root-not-pinned" in refused.err) == (2, True)
    assert not [path for path, _headers in scene.lying.asked[-1:] if "well-known" in path]


def test_pulls_nothing_where_nobody_said_what_is_acceptable(scene: Scene) -> None:
    folder = scene.machine.folder / "new"
    (folder / "work").mkdir(parents=True)
    newcomer = replace(scene.machine, folder=folder)
    newcomer.pin()

    refused = newcomer.run("pull", TOOL, "-o", newcomer.at("tool.bin"))

    assert (refused.code, "expectation-missing" in refused.err) == (2, True)
    assert newcomer.files() == {}


@pytest.mark.parametrize("path", ["../../.bashrc", "/etc/passwd", "a/../../b", "a\\b"])
def test_lets_no_store_choose_a_folder(scene: Scene, path: str) -> None:
    def change(document: Any) -> None:
        document["artifacts"][0]["path"] = path

    scene.lying.forge("/builds/", in_json(change))
    place = scene.machine.at("all")

    refused = scene.machine.run("pull", "--build", str(scene.build.pk), "-o", place)

    assert (refused.code, scene.machine.files()) == (5, {})


def test_is_told_where_a_stranger_finds_nothing(scene: Scene) -> None:
    absent = scene.pull("dist/absent")
    stranger = replace(scene.machine, token=scene.shop.tokens.stranger)

    foreign = stranger.run("pull", TOOL)

    assert (absent.code, foreign.code) == (3, 3)


def test_pulls_what_flags_alone_accept(scene: Scene) -> None:
    folder = scene.machine.folder / "new"
    (folder / "work").mkdir(parents=True)
    newcomer = replace(scene.machine, folder=folder)
    newcomer.pin()
    said = ["--builder", BUILDER, "--owner-id", "77", "--repository-id"]

    other = newcomer.run("pull", TOOL, "-o", newcomer.at("other"), *said, "6666")
    ended = newcomer.run("pull", TOOL, "-o", newcomer.at("tool.bin"), *said, "4242")

    assert (other.code, "source-mismatch" in other.err) == (1, True)
    assert (ended.code, newcomer.files()) == (0, {"tool.bin": DATA}), ended
