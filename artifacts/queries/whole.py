"""An artifact with all that a download asks about it, by one statement: made for each of them."""

from typing import Final
from uuid import UUID

from artifacts.domain.lifecycle import BuildState
from artifacts.models import Artifact, Blob, Build, Organization, Project, Quarantine, Yank
from artifacts.queries.seeing import SEEN, seen_by
from kernel.actor import Actor
from kernel.rows import Joined, Row

_WHOLE: Final = f"""
    SELECT {{{{artifact}}}}, {{{{blob}}}}, {{{{build}}}}, {{{{project}}}}, {{{{organization}}}},
        {{{{yank}}}}, {{{{quarantine}}}}
    FROM artifact
    JOIN blob ON blob.id = artifact.blob_id
    JOIN build ON build.id = artifact.build_id
    JOIN project ON project.id = artifact.project_id
    JOIN organization ON organization.id = project.organization_id
    LEFT JOIN yank ON yank.artifact_id = artifact.id
    LEFT JOIN quarantine ON quarantine.artifact_id = artifact.id
    WHERE {{wanted}} AND build.state <> %(open)s AND {SEEN}
"""  # noqa: S608 - made of our own words


def _statement(wanted: str) -> Joined:
    return Joined(
        _WHOLE.format(wanted=wanted),
        artifact=Artifact,
        blob=Blob,
        build=Build,
        project=Project,
        organization=Organization,
        yank=Yank,
        quarantine=Quarantine,
    )


_BY_ID: Final = _statement("artifact.id = %(artifact)s")
_BY_PATH: Final = _statement("artifact.build_id = %(build)s AND artifact.path = %(path)s")


def whole_artifact(*, actor: Actor, artifact: UUID) -> Artifact | None:
    """The artifact with blob, build, project and marks; None where none exists for the actor."""
    found = _BY_ID.first(artifact=artifact, open=BuildState.OPEN.value, **seen_by(actor))
    return _artifact(found) if found is not None else None


def whole_artifact_at(*, actor: Actor, build: UUID, path: str) -> Artifact | None:
    """The same for a path of a build."""
    asked = {"build": build, "path": path, "open": BuildState.OPEN.value}
    found = _BY_PATH.first(**asked, **seen_by(actor))
    return _artifact(found) if found is not None else None


def _artifact(row: Row) -> Artifact:
    artifact, build, project = row.the(Artifact), row.the(Build), row.the(Project)
    project.organization = row.the(Organization)
    build.project = artifact.project = project
    artifact.build, artifact.blob = build, row.the(Blob)
    # As `select_related` does: that there is none is known as well.
    cached = artifact._state.fields_cache  # noqa: SLF001 - there is no other way to say "none"
    cached["yank"], cached["quarantine"] = row.maybe(Yank), row.maybe(Quarantine)
    return artifact
