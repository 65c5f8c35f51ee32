"""Stock cosign as a second opinion: what a consumer runs with nothing of ours installed."""

import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

HOW_TO_GET_IT: Final = "go install github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3"


@dataclass(frozen=True, slots=True)
class Question:
    """One `cosign verify-blob-attestation`."""

    artifact: Path
    bundle: Path
    trust_root: Path
    identity: str
    issuer: str
    predicate: str = "slsaprovenance1"

    def command(self) -> list[str]:
        """The command line, as the documentation gives it to consumers."""
        return [
            "cosign",
            "verify-blob-attestation",
            f"--bundle={self.bundle}",
            f"--trusted-root={self.trust_root}",
            f"--type={self.predicate}",
            f"--certificate-identity={self.identity}",
            f"--certificate-oidc-issuer={self.issuer}",
            str(self.artifact),
        ]


def is_there() -> bool:
    """Whether cosign is on PATH."""
    return shutil.which("cosign") is not None


def accepts(question: Question) -> bool:
    """Ask cosign; no network is needed and none is used."""
    finished = subprocess.run(question.command(), capture_output=True, check=False, timeout=60)
    return finished.returncode == 0


def wrong_questions(question: Question, other: Path) -> dict[str, Question]:
    """The same question with one thing wrong each; every answer must be no."""
    return {
        "another artifact": replace(question, artifact=other),
        "another identity": replace(question, identity=f"{question.issuer}/builders/other/v1"),
        "another issuer": replace(question, issuer="https://token.actions.githubusercontent.com"),
        "another type": replace(question, predicate="spdxjson"),
    }
