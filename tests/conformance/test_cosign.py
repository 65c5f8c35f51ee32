"""Stock cosign, with nothing of ours but the trust root, accepts what was signed and no more."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.trust_root import trusted_root
from provenance.domain.builders import removal_attestor_id
from provenance.domain.removal import statement_of
from provenance.ports import Signed, SigningJob
from tests.factories.evidence import DIGEST, PROJECT, removed
from tests.factories.signing_jobs import IDENTITY, STORE, created_keys, job

ROOT: Final = Path(__file__).resolve().parents[2]
COSIGN: Final = shutil.which("cosign", path=f"{os.environ['PATH']}:{ROOT / '.cache' / 'bin'}")

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(COSIGN is None, reason="cosign is not on PATH (.ci/run installs it)"),
]


@dataclass(frozen=True)
class Question:
    """What a consumer asks cosign."""

    folder: Path
    artifact: bytes = b"artifact 0"
    identity: str = IDENTITY
    issuer: str = STORE
    type: str = "slsaprovenance1"

    def ask(self) -> subprocess.CompletedProcess[str]:
        (self.folder / "artifact").write_bytes(self.artifact)
        return _cosign(self.folder, self.identity, self.issuer, f"--type={self.type}", "artifact")


def _cosign(
    folder: Path, identity: str, issuer: str, *more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(COSIGN),
            "verify-blob-attestation",
            "--bundle=bundle.json",
            "--trusted-root=trusted_root.json",
            f"--certificate-identity={identity}",
            f"--certificate-oidc-issuer={issuer}",
            *more,
        ],
        cwd=folder,
        # No home and no proxy: nothing cached and nothing fetched can help it.
        env={"HOME": str(folder), "HTTPS_PROXY": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )


def asked(folder: Path, key_file: Path, *, store: str) -> Question:
    """A fresh bundle with its trust root in a folder, and the question that it answers."""
    identity = IDENTITY.replace(STORE, store)
    (answer,) = EmbeddedSigner(key_file=key_file, issuer=store).sign([job(0, identity=identity)])
    assert isinstance(answer, Signed)
    (folder / "bundle.json").write_bytes(answer.bundle)
    (folder / "trusted_root.json").write_bytes(trusted_root())
    return Question(folder, identity=identity, issuer=store)


@pytest.fixture
def question(tmp_path: Path) -> Question:
    return asked(tmp_path, created_keys(tmp_path), store=STORE)


@pytest.mark.parametrize(
    "store", ["http://127.0.0.1:8080", "https://store.example.com", "https://[::1]:8443"]
)
def test_accepts_a_bundle_of_a_store_at_any_address(tmp_path: Path, store: str) -> None:
    key_file = created_keys(tmp_path, base_url=store)

    answer = asked(tmp_path, key_file, store=store).ask()

    assert answer.returncode == 0, answer.stderr
    assert "Verified OK" in answer.stderr


Change = Callable[[Question], Question]
WRONG: Final[dict[str, Change]] = {
    "artifact": lambda question: replace(question, artifact=b"artifact 1"),
    "identity": lambda question: replace(question, identity=f"{STORE}/builders/eve/x/v1"),
    "issuer": lambda question: replace(question, issuer="https://elsewhere.test"),
    "type": lambda question: replace(question, type="spdxjson"),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_refuses_another_artifact_identity_issuer_or_type(
    question: Question, change: Change
) -> None:
    assert question.ask().returncode == 0

    answer = change(question).ask()

    assert answer.returncode != 0
    assert "Verified OK" not in answer.stderr


@pytest.mark.parametrize(
    ("digest", "kind", "is_accepted"),
    [
        (DIGEST.hex, "predicates/removal/v1", True),
        ("cd" * 32, "predicates/removal/v1", False),
        (DIGEST.hex, "predicates/removal/v2", False),
    ],
)
def test_accepts_the_removal_of_what_is_gone_by_its_digest(
    tmp_path: Path, digest: str, kind: str, *, is_accepted: bool
) -> None:
    key_file = created_keys(tmp_path)
    statement = statement_of(project=PROJECT, removed=[removed()], base_url=STORE)
    wanted = SigningJob(statement, removal_attestor_id(base_url=STORE), {})
    (answer,) = EmbeddedSigner(key_file=key_file, issuer=STORE).sign([wanted])
    assert isinstance(answer, Signed)
    (tmp_path / "bundle.json").write_bytes(answer.bundle)
    (tmp_path / "trusted_root.json").write_bytes(trusted_root())
    asked_for = (f"--type={STORE}/{kind}", "--digestAlg=sha256", f"--digest={digest}")

    said = _cosign(tmp_path, f"{STORE}/attestors/removal/v1", STORE, *asked_for)

    assert ("Verified OK" in said.stderr) is is_accepted, said.stderr
    assert (said.returncode == 0) is is_accepted


def test_refuses_the_trust_root_of_another_store(question: Question) -> None:
    assert question.ask().returncode == 0
    theirs = ROOT / "tests/assets/sigstore-conformance/public-good-prod-trusted_root.json"

    (question.folder / "trusted_root.json").write_bytes(theirs.read_bytes())

    assert question.ask().returncode != 0
