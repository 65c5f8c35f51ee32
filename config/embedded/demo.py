"""`make demo`: a CI job uploads a real file, the store attests it, and three forgeries fail.

Every step is checked; the exit status is 0 only when each did what it should.
"""

import hashlib
import json
import subprocess
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import requests

from config.embedded import cosign, forge
from kernel.digest import Sha256
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.evidence import Evidence, Expected, examine
from provenance.domain.scope import Scope
from provenance.domain.statement import Subject

WAIT_SECONDS: Final = 60
REQUEST_SECONDS: Final = 30
CHUNK_BYTES: Final = 1024 * 1024
REPOSITORY: Final = "acme/widget"
REPOSITORY_ID: Final = "4242"
OWNER_ID: Final = "77"
WORKFLOW: Final = ".github/workflows/release.yml"
COMMIT: Final = "5f0c2a7d9e4b1836af20c9d7e1b5a4938c6d7e0f"


class StepFailed(Exception):
    """A step of the demonstration did not do what it should."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The running instance that the demonstration plays on, and a folder for its files."""

    url: str
    issuer_url: str
    admin_token: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Delivered:
    """A published artifact as a consumer got it."""

    artifact: dict[str, Any]
    file: Path
    bundle: Path
    trust_root: Path
    report: dict[str, Any]


def tell(stage: Stage, file: Path) -> None:
    """Play the whole story on one file.

    Raises:
        StepFailed: something was accepted that must not be, or the other way round.
    """
    project = _prepare_project(stage)
    token = _play_ci_job(stage)
    artifact = _upload(project, token, file)
    _wait_until_published(stage, token, artifact)
    delivered = _download(stage, token, artifact, file)
    _show_provenance(delivered.report)
    _ask_cosign(stage, delivered)
    _forge(stage, delivered)
    _forge_a_job(stage)
    _farewell()


def _prepare_project(stage: Stage) -> str:
    _heading("An administrator creates a project and names who may publish to it")
    headers = _bearer(stage.admin_token)
    _ask(
        "POST",
        f"{stage.url}/api/v1/organizations",
        201,
        headers=headers,
        json={"organization": "acme"},
    )
    body: dict[str, Any] = {"organization": "acme", "project": "widget", "is_public": False}
    _ask("POST", f"{stage.url}/api/v1/projects", 201, headers=headers, json=body)
    publisher = {
        "issuer": "development",
        "repository_id": REPOSITORY_ID,
        "owner_id": OWNER_ID,
        "workflow_path": WORKFLOW,
    }
    address = f"{stage.url}/api/v1/projects/acme/widget/publishers"
    _ask("POST", address, 201, headers=headers, json=publisher)
    _say(f"project acme/widget; trusted publisher {REPOSITORY} (id {REPOSITORY_ID}), {WORKFLOW}")
    return f"{stage.url}/api/v1/projects/acme/widget"


def _play_ci_job(stage: Stage) -> str:
    _heading("A CI job exchanges its identity token for an upload token")
    audience = _ask("GET", f"{stage.url}/_/oidc/audience", 200).json()["audience"]
    minted = _mint(stage, _job_token(stage, audience))
    if minted.status_code != requests.codes.ok:
        raise StepFailed(f"the exchange was refused: {minted.text}")
    _say(f"identity: {REPOSITORY}@{COMMIT[:12]}, from the development issuer, GitHub's claims")
    _say("upload token: 15 minutes, this project only")
    return str(minted.json()["token"])


def _upload(project: str, token: str, file: Path) -> dict[str, Any]:
    _heading(f"It uploads {file.name} ({file.stat().st_size:,} bytes)")
    headers = {**_bearer(token), "Repr-Digest": Sha256(_sha256(file)).field}
    address = f"{project}/artifacts/dist/{quote(file.name)}"
    with file.open("rb") as body:
        artifact: dict[str, Any] = _ask("PUT", address, 201, headers=headers, data=body).json()
    if artifact["sha256"] != _sha256(file):
        raise StepFailed("the store measured another digest than we did")
    _say(f"stored, sha256 {artifact['sha256']}")
    with file.open("rb") as body:
        again = _ask("PUT", address, 200, headers=headers, data=body).json()
    if again["id"] != artifact["id"]:
        raise StepFailed("a repeated upload made a second artifact")
    _say("the same upload again: 200, the same artifact (a retry is harmless)")
    return artifact


def _wait_until_published(stage: Stage, token: str, artifact: dict[str, Any]) -> None:
    _heading("A worker writes and signs provenance")
    started = time.monotonic()
    address = f"{stage.url}/api/v1/builds/{artifact['build']['id']}"
    while True:
        build = _ask("GET", address, 200, headers=_bearer(token)).json()
        if build["state"] == "published":
            break
        if build["state"] == "refused" or time.monotonic() - started > WAIT_SECONDS:
            raise StepFailed(f"the build was not published: {json.dumps(build)}")
        time.sleep(0.1)
    _say(f"published {time.monotonic() - started:.1f} s after the upload")


def _download(stage: Stage, token: str, artifact: dict[str, Any], file: Path) -> Delivered:
    _heading("A consumer downloads it, verified")
    headers = _bearer(token)
    base = f"{stage.url}/api/v1/artifacts/{artifact['id']}"
    got = stage.folder / "downloaded"
    with (
        _ask("GET", f"{base}/download", 200, headers=headers, stream=True) as answer,
        got.open("wb") as output,
    ):
        output.writelines(answer.iter_content(CHUNK_BYTES))
    if _sha256(got) != artifact["sha256"]:
        raise StepFailed("the download has another digest than the upload")
    if answer.headers.get("Repr-Digest") != Sha256(artifact["sha256"]).field:
        raise StepFailed("the download's Repr-Digest is not the artifact's")
    _say(f"the same bytes; Strongroom-Verification: {answer.headers['Strongroom-Verification']}")
    report = _ask("GET", f"{base}/verification", 200, headers=headers).json()
    bundle = stage.folder / f"{file.name}.sigstore.json"
    identity = report["provenance"]["attestation"]
    bundle.write_bytes(_ask("GET", f"{base}/attestations/{identity}", 200, headers=headers).content)
    trust_root = stage.folder / "trusted_root.json"
    trust_root.write_bytes(_ask("GET", f"{stage.url}/.well-known/trusted_root.json", 200).content)
    return Delivered(artifact, got, bundle, trust_root, report)


def _show_provenance(report: dict[str, Any]) -> None:
    _heading("What its provenance says")
    provenance = report["provenance"]
    for label, value in (
        ("repository", provenance["repository"]),
        ("commit", provenance["commit"]),
        ("workflow", f"{provenance['workflow']} on {provenance['ref']}"),
        ("run", provenance["invocation"]),
        ("builder", provenance["builder"]),
        ("level", report["level"]),
    ):
        _say(f"{label:11} {value}")
    for why in report["why_not_higher"]:
        _say(f"{'not higher':11} {why}")
    counted = next(one for one in report["attestations"] if one["counts"])
    steps = ", ".join(dict.fromkeys(step["step"] for step in counted["steps"]))
    _say(f"{'checked':11} {steps}")


def _ask_cosign(stage: Stage, delivered: Delivered) -> None:
    _heading("Stock cosign verifies the same bundle, offline")
    question = cosign.Question(
        artifact=delivered.file,
        bundle=delivered.bundle,
        trust_root=delivered.trust_root,
        identity=delivered.report["provenance"]["builder"],
        issuer=stage.url,
    )
    if not cosign.is_there():
        _say("cosign is not on PATH, so this step is left out. To get it:")
        _say(f"  {cosign.HOW_TO_GET_IT}")
        return
    refusal = cosign.refusal_of(question)
    if refusal:
        raise StepFailed(f"cosign refused the genuine bundle: {refusal}")
    _say("accepted")
    for name, value in cosign.environment(question.artifact).items():
        _say(f"(with {name}={value}: it reads nothing above 128 MiB otherwise)")
    other = stage.folder / "another-artifact"
    forge.another_byte(delivered.file, other)
    for name, wrong in cosign.wrong_questions(question, other).items():
        if not cosign.refusal_of(wrong):
            raise StepFailed(f"cosign accepted {name}")
        _say(f"refused: {name}")


def _forge(stage: Stage, delivered: Delivered) -> None:
    _heading("A forger changes one thing at a time")
    bundle = delivered.bundle.read_bytes()
    forged_file = stage.folder / "forged-copy"
    forge.another_byte(delivered.file, forged_file)
    genuine = _verify(stage, delivered, delivered.file, bundle)
    if genuine.failed is not None:
        raise StepFailed(f"the genuine bundle was refused: {genuine.failed}")
    _say("genuine:                      accepted")
    for name, file, forged, code in (
        ("a byte of the artifact", forged_file, bundle, "subject-mismatch"),
        ("the statement", delivered.file, forge.another_statement(bundle), "signature-invalid"),
        ("the identity", delivered.file, forge.another_identity(bundle), "chain-invalid"),
    ):
        failed = _verify(stage, delivered, file, forged).failed
        if failed is None or failed.code != code:
            raise StepFailed(f"forging {name} gave {failed}, not {code}")
        _say(f"forged {name:22} refused: {code} (step {failed.name})")


def _forge_a_job(stage: Stage) -> None:
    """A job of a repository with the same name and another id: somebody took the name over."""
    minted = _mint(stage, _job_token(stage, stage.url, repository_id="6666"))
    code = minted.json().get("code")
    if minted.status_code == requests.codes.ok or code != "no-matching-publisher":
        raise StepFailed(f"a job of another repository got {minted.status_code} {minted.text}")
    _say(f"a job of another {REPOSITORY:12} refused: {code}")


def _farewell() -> None:
    _heading("Everything did what it should. This store is gone with its data.")
    _say("`make up` keeps one running and prints its address. Its pages:")
    _say("  /                      what it is, and how to check it yourself")
    _say("  /builders/…            what each builder in a statement may claim, and why not more")
    _say("  /problems/             every refusal, and what to do")
    _say("  /admin/                administration, with the one-time password that it prints")


def _verify(stage: Stage, delivered: Delivered, file: Path, bundle: bytes) -> Evidence:
    """Verify offline: the file as measured here, the bundle, and the trust root, nothing else."""
    report = delivered.report
    expected = Expected(
        scope=Scope(UUID(int=0), UUID(report["project"])),
        build=UUID(report["build"]),
        subject=Subject(report["subject"]["name"], Sha256(_sha256(file))),
        base_url=stage.url,
    )
    trust_root = delivered.trust_root.read_bytes()
    return examine(SigstoreVerifier().verify(bundle, trust_root=trust_root), expected)


def _job_token(stage: Stage, audience: str, **changes: str) -> str:
    claims = {
        "aud": audience,
        "repository": REPOSITORY,
        "repository_id": REPOSITORY_ID,
        "repository_owner": "acme",
        "repository_owner_id": OWNER_ID,
        "workflow_ref": f"{REPOSITORY}/{WORKFLOW}@refs/tags/v1.4.0",
        "job_workflow_ref": f"{REPOSITORY}/{WORKFLOW}@refs/tags/v1.4.0",
        "ref": "refs/tags/v1.4.0",
        "sha": COMMIT,
        "workflow_sha": COMMIT,
        "job_workflow_sha": COMMIT,
        "event_name": "push",
        **changes,
    }
    return str(_ask("POST", f"{stage.issuer_url}/token", 200, json=claims).json()["token"])


def _mint(stage: Stage, identity_token: str) -> requests.Response:
    body = {"token": identity_token, "project": "acme/widget"}
    return requests.post(f"{stage.url}/_/oidc/mint-token", json=body, timeout=REQUEST_SECONDS)


def _ask(method: str, url: str, status: int, **more: Any) -> requests.Response:  # noqa: ANN401 - requests' own options
    answer = requests.request(method, url, timeout=REQUEST_SECONDS, **more)
    if answer.status_code != status:
        raise StepFailed(f"{method} {url} answered {answer.status_code}: {answer.text[:2000]}")
    return answer


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _sha256(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def source_archive(checkout: Path, folder: Path) -> Path:
    """The project's own source as an archive: what git has, or the files where there is no git."""
    archive = folder / "strongroom-source.tar.gz"
    command = ["git", "-C", str(checkout), "archive", "--format=tar.gz", f"--output={archive}"]
    if subprocess.run([*command, "HEAD"], capture_output=True, check=False).returncode != 0:
        with tarfile.open(archive, "w:gz") as made:
            for name in ("README.md", "pyproject.toml", "kernel", "provenance", "artifacts"):
                made.add(checkout / name, arcname=f"strongroom/{name}")
    return archive


def _heading(text: str) -> None:
    print(f"\n{text}")  # noqa: T201 - this program talks to a person


def _say(text: str) -> None:
    print(f"  {text}")  # noqa: T201 - this program talks to a person
