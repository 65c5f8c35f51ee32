"""Log a download: what was answered to whom, before the first byte leaves (step 8)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from artifacts.models import Artifact
from artifacts.ports import DownloadEntry, DownloadLog
from kernel.actor import Actor
from kernel.outbox.emit import current_request_id
from provenance.domain.report import Verdict


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for which artifact, and from which machine."""

    actor: Actor
    artifact: Artifact
    address: str | None


@dataclass(frozen=True, slots=True)
class Answered:
    """How the bytes leave, or why none do; `verdict` is None where nothing could be decided."""

    way: str
    byte_range: str = ""
    verdict: Verdict | None = None
    refusal: str = ""
    member: str = ""


def log_download(*, log: DownloadLog, asked: Asked, answered: Answered, now: datetime) -> None:
    """Put the answer into the log, which writes it down within a second.

    Raises:
        DownloadLogUnavailable: the log has no room; then nothing is handed out.
    """
    artifact, verdict = asked.artifact, answered.verdict
    log.add(
        DownloadEntry(
            id=uuid4(),
            at=now,
            project_id=artifact.project_id,
            build_id=artifact.build_id,
            artifact_id=artifact.pk,
            path=artifact.path,
            member=answered.member[:1024],
            sha256=artifact.blob.sha256,
            actor=asked.actor.name,
            address=asked.address,
            way=answered.way,
            byte_range=answered.byte_range,
            verdict=_word(answered),
            reason=answered.refusal or (verdict.reason if verdict is not None else ""),
            decision=verdict.decision if verdict is not None else "",
            request_id=current_request_id(),
        )
    )


def _word(answered: Answered) -> str:
    if answered.refusal or answered.verdict is None:
        return "refused"
    return "allowed" if answered.verdict.allowed else "observed"
