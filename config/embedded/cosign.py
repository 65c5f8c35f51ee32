"""Stock cosign as a second opinion: what a consumer runs with nothing of ours installed."""

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

LIMIT_VARIABLE: Final = "COSIGN_MAX_ATTACHMENT_SIZE"
DEFAULT_LIMIT_BYTES: Final = 128 * 1024**2
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


def refusal_of(question: Question) -> str:
    """Ask cosign: empty when it accepts, else its own words. No network is needed or used."""
    finished = subprocess.run(
        question.command(),
        env={**os.environ, **environment(question.artifact)},
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )
    if finished.returncode == 0:
        return ""
    return finished.stderr.strip() or f"exit status {finished.returncode}"


def environment(artifact: Path) -> dict[str, str]:
    """Cosign reads no artifact above 128 MiB unless this variable allows it."""
    size_bytes = artifact.stat().st_size
    return {LIMIT_VARIABLE: str(size_bytes)} if size_bytes > DEFAULT_LIMIT_BYTES else {}


def wrong_questions(question: Question, other: Path) -> dict[str, Question]:
    """The same question with one thing wrong each; every answer must be no."""
    return {
        "another artifact": replace(question, artifact=other),
        "another identity": replace(question, identity=f"{question.issuer}/builders/other/v1"),
        "another issuer": replace(question, issuer="https://token.actions.githubusercontent.com"),
        "another type": replace(question, predicate="spdxjson"),
    }
