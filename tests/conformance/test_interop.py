"""Every verifier of Sigstore bundles, with nothing of ours: what it accepts, and refuses.

What is run are the commands of docs/verifiers.md. UPDATE=1 writes that page's table anew; what it
must say however it is written stands below as rules.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.trust_root import trusted_root
from provenance.ports import Signed, Signer
from tests.factories.managed_keys import KeyStore, key_in
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.instance import PATH
from tests.factories.signing_jobs import IDENTITY, STORE, created_keys, job

pytestmark = pytest.mark.django_db

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
PAGE: Final = ROOT / "docs" / "verifiers.md"
NODE_MODULES: Final = ROOT / ".cache" / "sigstore-js" / "node_modules"
COSIGN_2: Final = shutil.which("cosign2", path=PATH)
MARKS: Final = ("<!-- verdicts -->\n", "<!-- /verdicts -->")
# The program of each tool; cosign 2 is kept under another name, and found as `cosign`.
TOOLS: Final = {
    "cosign-3": "cosign",
    "cosign-2": "cosign2",
    "sigstore-go": "sigstore-go-verification",
    "sigstore-python": "python3",
    "sigstore-js": "node",
}
# What a tool has no way to do, and the command that shows it.
UNSUPPORTED: Final = {
    ("key", "sigstore-go"): "sigstore-go-verification -artifact artifact -publicKey key.pem"
    " -trustedrootJSONpath trusted_root.json -requireTlog=false -requireTimestamp=false"
    " -requireCTlog=false bundle.json",
    **dict.fromkeys(
        [("key", "sigstore-python"), ("key-witnessed", "sigstore-python")],
        'python3 sigstore_python.py bundle.json trusted_root.json "$IDENTITY" "$ISSUER"'
        " https://slsa.dev/provenance/v1 artifact",
    ),
}


@dataclass(frozen=True)
class Question:
    """What a consumer asks. The folder holds the bundle, the trust root and perhaps a key."""

    folder: Path
    artifact: bytes = b"artifact 0"
    identity: str = IDENTITY
    issuer: str = STORE
    key: str = ""
    is_about_provenance: bool = True

    def ask(self, tool: str, command: str) -> str:
        """Empty when the tool accepts, else what it says last."""
        (self.folder / "artifact").write_bytes(self.artifact)
        if self.key:
            (self.folder / "key.pem").write_text(self.key)
        if not self.is_about_provenance:
            command = command.replace("slsaprovenance1", "spdxjson")
            command = command.replace("https://slsa.dev/provenance/v1", "https://spdx.dev/Document")
        answer = subprocess.run(
            ["bash", "-ec", command],
            cwd=self.folder,
            env={
                "PATH": f"{_bin(self.folder, tool)}:{Path(sys.executable).parent}:{PATH}",
                # No home and no proxy: nothing cached and nothing fetched can help it.
                "HOME": str(self.folder),
                "HTTPS_PROXY": "http://127.0.0.1:9",
                "NODE_PATH": str(NODE_MODULES),
                "IDENTITY": self.identity,
                "ISSUER": self.issuer,
                "ARTIFACT": "artifact",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        said = answer.stderr.strip() or answer.stdout.strip() or "no"
        return said if answer.returncode else ""


def _bin(folder: Path, tool: str) -> Path:
    """A folder with what the commands start beside the installed programs."""
    place = folder / tool
    if not place.exists():
        place.mkdir()
        if tool == "cosign-2" and COSIGN_2 is not None:
            (place / "cosign").symlink_to(COSIGN_2)
        for program in (HERE / "sigstore_python.py", *(HERE / "sigstore-js").glob("*.cjs")):
            shutil.copy(program, folder)
    return place


def check_installed(tool: str) -> None:
    if tool == "sigstore-js" and not NODE_MODULES.exists():
        pytest.skip("sigstore-js is not installed: .ci/run does it")
    if tool != "sigstore-python" and shutil.which(TOOLS[tool], path=PATH) is None:
        pytest.skip(f"cosign is not on PATH, or {TOOLS[tool]} is not: .ci/run installs them")


def documented(tool: str, bundle: str) -> str:
    """The command that docs/verifiers.md gives, as a shell reads it."""
    if (bundle, tool) in UNSUPPORTED:
        return UNSUPPORTED[bundle, tool]
    found = {
        name: text
        for names, text in re.findall(
            rf"^```console {tool} ([a-z -]+)\n(.+?)^```$",
            PAGE.read_text(),
            re.MULTILINE | re.DOTALL,
        )
        for name in names.split()
    }
    text: str = found[bundle]
    return text.replace("\n$ ", "\n").removeprefix("$ ")


Make = Callable[[pytest.FixtureRequest, Path], Question]


def signed(signer: Signer, root: bytes, question: Question) -> Question:
    (answer,) = signer.sign([job(0)])
    assert isinstance(answer, Signed)
    (question.folder / "bundle.json").write_bytes(answer.bundle)
    (question.folder / "trusted_root.json").write_bytes(root)
    return question


def embedded(_request: pytest.FixtureRequest, folder: Path) -> Question:
    signer = EmbeddedSigner(key_file=created_keys(folder), issuer=STORE)
    return signed(signer, trusted_root(), Question(folder))


def instance(request: pytest.FixtureRequest) -> Sigstore:
    found = request.getfixturevalue("sigstore")
    assert isinstance(found, Sigstore)
    return found


def sigstore(request: pytest.FixtureRequest, folder: Path) -> Question:
    attestor = instance(request).attestor(folder)
    question = Question(folder, issuer=attestor.issuer)
    return signed(attestor.signer(), attestor.keys.trusted_root(), question)


def key(_request: pytest.FixtureRequest, folder: Path) -> Question:
    return of_store(KeyStore(key_in(folder, name="private.pem")), folder)


def key_witnessed(request: pytest.FixtureRequest, folder: Path) -> Question:
    uri = key_in(folder, name="private.pem")
    return of_store(KeyStore(uri, instance(request).instance), folder)


def of_store(store: KeyStore, folder: Path) -> Question:
    question = Question(folder, key=store.pem)
    return signed(store.signer(), store.document.trusted_root, question)


BUNDLES: Final[dict[str, Make]] = {
    "embedded": embedded,
    "sigstore": sigstore,
    "key": key,
    "key-witnessed": key_witnessed,
}


def changed(question: Question) -> Iterator[tuple[str, list[Question]]]:
    """Each thing that a consumer expects, with another in its place; none where there is none."""
    yield "artifact", [replace(question, artifact=b"artifact 1")]
    if question.key:
        other = question.folder / "another"
        other.mkdir()
        yield "identity", [replace(question, key=KeyStore(key_in(other)).pem)]
        yield "issuer", []
    else:
        others = (f"{STORE}/builders/eve/x/v1", question.identity[:-1])
        yield "identity", [replace(question, identity=other) for other in others]
        yield "issuer", [replace(question, issuer="https://elsewhere.test")]
    yield "type", [replace(question, is_about_provenance=False)]


def row(bundle: str, tool: str, question: Question) -> list[str]:
    """One row of the table: what this tool says of this bundle."""
    command = documented(tool, bundle)
    said = question.ask(tool, command)
    if said:
        return [bundle, tool, f"not supported: `{said.splitlines()[-1][:100]}`", *["none"] * 4]
    cells = []
    for _name, questions in changed(question):
        answers = [one.ask(tool, command) for one in questions]
        cells.append(("refused" if all(answers) else "**accepted**") if answers else "none")
    assert question.ask(tool, command) == ""
    return [bundle, tool, "accepted", *cells]


HEADER: Final = (
    "| bundle | tool | as it is | another artifact | another identity | another issuer "
    "| another type |\n|---|---|---|---|---|---|---|\n"
)


def documented_rows() -> list[list[str]]:
    table = PAGE.read_text().split(MARKS[0])[1].split(MARKS[1])[0].removeprefix(HEADER)
    return [line.strip("| ").split(" | ") for line in table.splitlines() if line]


def write_row(found: list[str]) -> None:
    order = [(bundle, tool) for bundle in BUNDLES for tool in TOOLS]
    rows = {(cells[0], cells[1]): cells for cells in [*documented_rows(), found]}
    lines = [f"| {' | '.join(rows[pair])} |\n" for pair in order if pair in rows]
    before, rest = PAGE.read_text().split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    PAGE.write_text(f"{before}{MARKS[0]}{HEADER}{''.join(lines)}{MARKS[1]}{after}")


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("bundle", BUNDLES)
def test_answers_as_the_table_says(
    request: pytest.FixtureRequest, tmp_path: Path, bundle: str, tool: str
) -> None:
    check_installed(tool)

    found = row(bundle, tool, BUNDLES[bundle](request, tmp_path))

    if os.environ.get("UPDATE") == "1":
        write_row(found)
    assert found in documented_rows()


def test_has_a_row_for_every_bundle_and_tool_and_none_that_accepts_a_forgery() -> None:
    rows = {(bundle, tool): cells for bundle, tool, *cells in documented_rows()}

    assert list(rows) == [(bundle, tool) for bundle in BUNDLES for tool in TOOLS]
    for (bundle, tool), cells in rows.items():
        issuer = "none" if bundle.startswith("key") else "refused"
        if (bundle, tool) in UNSUPPORTED:
            assert cells[0].startswith("not supported: `")
        else:
            assert cells == ["accepted", "refused", "refused", issuer, "refused"]


def test_names_the_versions_that_are_tried() -> None:
    versions = dict(
        line.split("=")
        for line in (ROOT / ".ci" / "versions").read_text().splitlines()
        if "=" in line
    )
    page = PAGE.read_text()

    for tool, name in (
        ("cosign-3", "COSIGN_VERSION"),
        ("cosign-2", "COSIGN_2_VERSION"),
        ("sigstore-go", "SIGSTORE_GO_VERSION"),
    ):
        assert f"| `{tool}` | {versions[name]} |" in page
    assert f"sigstore-go-verification@{versions['SIGSTORE_GO_VERSION']}`" in page


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("bundle", ["embedded", "sigstore", "key-witnessed"])
def test_is_refused_with_the_trust_root_of_another_instance(
    request: pytest.FixtureRequest, tmp_path: Path, bundle: str, tool: str
) -> None:
    if (bundle, tool) in UNSUPPORTED:
        return
    check_installed(tool)
    question, command = BUNDLES[bundle](request, tmp_path), documented(tool, bundle)
    assert question.ask(tool, command) == ""
    theirs = ROOT / "tests/assets/sigstore-conformance/public-good-prod-trusted_root.json"

    (question.folder / "trusted_root.json").write_bytes(theirs.read_bytes())

    assert question.ask(tool, command) != ""


@pytest.mark.parametrize("tool", TOOLS)
def test_accepts_old_and_new_bundles_of_a_store_that_changed_its_signer(
    request: pytest.FixtureRequest, tmp_path: Path, tool: str
) -> None:
    check_installed(tool)
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    old, new = embedded(request, before), sigstore(request, after)

    shutil.copy(after / "trusted_root.json", before)

    assert old.ask(tool, documented(tool, "embedded")) == ""
    assert new.ask(tool, documented(tool, "sigstore")) == ""


@pytest.mark.parametrize(
    ("kind", "accepts"),
    [("rsa2048", "accepted"), ("ed25519", "accepted"), ("p384", "do not match threshold")],
)
def test_says_which_kinds_of_key_cosign_accepts(tmp_path: Path, kind: str, accepts: str) -> None:
    check_installed("cosign-3")
    question = of_store(KeyStore(key_in(tmp_path, kind, name="private.pem")), tmp_path)

    said = question.ask("cosign-3", documented("cosign-3", "key"))

    assert accepts in (said or "accepted")
