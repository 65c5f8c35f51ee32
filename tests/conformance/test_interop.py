"""Every verifier of Sigstore bundles, with nothing of ours: what it accepts, and refuses."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.trust_root import trusted_root
from provenance.ports import Signed, Signer
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.instance import PATH
from tests.factories.signing_jobs import IDENTITY, STORE, created_keys, job

pytestmark = pytest.mark.django_db

HERE: Final = Path(__file__).resolve().parent
NODE_MODULES: Final = HERE.parents[1] / ".cache" / "sigstore-js" / "node_modules"
SLSA: Final = "https://slsa.dev/provenance/v1"
SPDX: Final = "https://spdx.dev/Document"
SHORT: Final = {SLSA: "slsaprovenance1", SPDX: "spdxjson"}


@dataclass(frozen=True)
class Question:
    """What a consumer asks. The folder holds `bundle.json` and `trusted_root.json`."""

    folder: Path
    has_timestamp: bool
    artifact: bytes = b"artifact 0"
    identity: str = IDENTITY
    issuer: str = STORE
    type: str = SLSA

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        (self.folder / "artifact").write_bytes(self.artifact)
        return subprocess.run(
            command,
            cwd=self.folder,
            # No home and no proxy: nothing cached and nothing fetched can help it.
            env={
                "PATH": PATH,
                "HOME": str(self.folder),
                "HTTPS_PROXY": "http://127.0.0.1:9",
                "NODE_PATH": str(NODE_MODULES),
            },
            capture_output=True,
            text=True,
            check=False,
        )


Ask = Callable[[Question], str]


def program(name: str) -> str:
    found = shutil.which(name, path=PATH)
    if found is None:
        pytest.skip(f"cosign is not on PATH, or {name} is not: .ci/run installs them")
    return found


def cosign(question: Question) -> str:
    """Empty when it accepts, else what it says."""
    command = [
        program("cosign"),
        "verify-blob-attestation",
        "--bundle=bundle.json",
        "--trusted-root=trusted_root.json",
        f"--type={SHORT[question.type]}",
        f"--certificate-identity={question.identity}",
        f"--certificate-oidc-issuer={question.issuer}",
        *(["--use-signed-timestamps"] if question.has_timestamp else []),
        "artifact",
    ]
    answer = question.run(command)
    assert (answer.returncode == 0) is ("Verified OK" in answer.stderr)
    return answer.stderr if answer.returncode else ""


def sigstore_go(question: Question) -> str:
    command = [
        program("sigstore-go-verification"),
        "-artifact=artifact",
        "-trustedrootJSONpath=trusted_root.json",
        f"-expectedSAN={question.identity}",
        f"-expectedIssuer={question.issuer}",
        "bundle.json",
    ]
    answer = question.run(command)
    if answer.returncode:
        return answer.stderr
    statement = json.loads(answer.stdout[answer.stdout.index("{") :])["statement"]
    # The program shows the type; comparing it is its caller's.
    return "" if statement["predicateType"] == question.type else "another type"


def sigstore_python(question: Question) -> str:
    return _script([sys.executable, str(HERE / "sigstore_python.py")], question)


def sigstore_js(question: Question) -> str:
    if not NODE_MODULES.exists():
        pytest.skip("sigstore-js is not installed: .ci/run does it")
    return _script([program("node"), str(HERE / "sigstore-js" / "verify.cjs")], question)


def _script(command: Sequence[str], question: Question) -> str:
    asked = [question.identity, question.issuer, question.type]
    answer = question.run([*command, "bundle.json", "trusted_root.json", *asked, "artifact"])
    assert (answer.returncode == 0) is (answer.stdout.strip() == "Verified")
    return answer.stderr if answer.returncode else ""


def signed(signer: Signer, root: bytes, question: Question) -> Question:
    (answer,) = signer.sign([job(0)])
    assert isinstance(answer, Signed)
    (question.folder / "bundle.json").write_bytes(answer.bundle)
    (question.folder / "trusted_root.json").write_bytes(root)
    return question


def embedded(_request: pytest.FixtureRequest, folder: Path) -> Question:
    signer = EmbeddedSigner(key_file=created_keys(folder), issuer=STORE)
    return signed(signer, trusted_root(), Question(folder, has_timestamp=False))


def sigstore(request: pytest.FixtureRequest, folder: Path) -> Question:
    instance = request.getfixturevalue("sigstore")
    assert isinstance(instance, Sigstore)
    attestor = instance.attestor(folder)
    question = Question(folder, has_timestamp=True, issuer=attestor.issuer)
    return signed(attestor.signer(), attestor.keys.trusted_root(), question)


@pytest.fixture(params=[embedded, sigstore])
def question(request: pytest.FixtureRequest, tmp_path: Path) -> Question:
    make: Callable[[pytest.FixtureRequest, Path], Question] = request.param
    return make(request, tmp_path)


Change = Callable[[Question], Question]
WRONG: Final[dict[str, Change]] = {
    "artifact": lambda asked: replace(asked, artifact=b"artifact 1"),
    "identity": lambda asked: replace(asked, identity=f"{STORE}/builders/eve/x/v1"),
    "longer identity": lambda asked: replace(asked, identity=asked.identity[:-1]),
    "issuer": lambda asked: replace(asked, issuer="https://elsewhere.test"),
    "type": lambda asked: replace(asked, type=SPDX),
}


@pytest.mark.parametrize("ask", [cosign, sigstore_go, sigstore_python, sigstore_js])
def test_is_accepted_as_asked_and_refused_with_anything_else(question: Question, ask: Ask) -> None:
    assert ask(question) == ""

    refusals = {name: ask(change(question)) for name, change in WRONG.items()}

    assert all(refusals.values()), refusals
    assert ask(question) == ""


@pytest.mark.parametrize("ask", [cosign, sigstore_go, sigstore_python, sigstore_js])
def test_is_refused_with_the_trust_root_of_another_instance(question: Question, ask: Ask) -> None:
    assert ask(question) == ""
    theirs = HERE.parent / "assets/sigstore-conformance/public-good-prod-trusted_root.json"

    (question.folder / "trusted_root.json").write_bytes(theirs.read_bytes())

    assert ask(question) != ""


@pytest.mark.parametrize("ask", [cosign, sigstore_go, sigstore_python, sigstore_js])
def test_accepts_old_and_new_bundles_of_a_store_that_changed_its_signer(
    request: pytest.FixtureRequest, tmp_path: Path, ask: Ask
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    old, new = embedded(request, before), sigstore(request, after)

    shutil.copy(after / "trusted_root.json", before)

    assert ask(old) == ""
    assert ask(new) == ""


def documented(tool: str) -> str:
    """The commands that docs/verifiers.md gives for a tool, as a shell reads them."""
    text = (HERE.parents[1] / "docs" / "verifiers.md").read_text()
    block = text.split(f"```console {tool}\n", 1)[1].split("```", 1)[0]
    return block.replace("\n$ ", "\n").removeprefix("$ ")


@pytest.mark.parametrize(
    ("tool", "name"), [("cosign", "cosign"), ("sigstore-go", "sigstore-go-verification")]
)
def test_runs_as_the_documentation_says(
    request: pytest.FixtureRequest, tmp_path: Path, tool: str, name: str
) -> None:
    program(name)
    asked = sigstore(request, tmp_path)
    given = f"IDENTITY={asked.identity} ISSUER={asked.issuer} ARTIFACT=artifact\n"

    accepted = asked.run(["bash", "-ec", given + documented(tool)])
    refused = replace(asked, artifact=b"x").run(["bash", "-ec", given + documented(tool)])

    assert accepted.returncode == 0, accepted.stderr
    assert refused.returncode != 0
