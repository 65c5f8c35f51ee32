"""What artifacts can be asked, named after what it returns.

`visible_…` answers for an actor: what the actor may not see is refused exactly as what is absent.
A build that is still open is visible only to its own jobs, and its files to nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Never
from uuid import UUID

from django.db.models import BooleanField, Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.names import is_path, is_slug
from artifacts.domain.origin import is_of_build
from artifacts.domain.retention import Level
from artifacts.errors import (
    ArtifactExpired,
    ArtifactNotFound,
    ArtifactRemoved,
    BuildNotFound,
    BuildNotYours,
    OrganizationNotFound,
    PathTaken,
    ProjectNotFound,
    UploadNotFound,
)
from artifacts.models import (
    AllowedRef,
    Artifact,
    Build,
    Organization,
    Project,
    Tombstone,
    TrashedArtifact,
    Upload,
)
from artifacts.queries.positions import Position
from artifacts.queries.seeing import granted, of_projects_seen_by, sees_everything
from artifacts.queries.whole import whole_artifact, whole_artifact_at
from kernel.actor import Actor, Permission
from kernel.digest import Sha256

# About the row of `build` around it: not all of its files are yanked. Of each build the first rows
# are looked at: an EXISTS might be made a table of all artifacts first.
IS_LISTED: Final = """coalesce(
    (SELECT true FROM artifact WHERE artifact.build_id = build.id
        AND NOT EXISTS (SELECT FROM yank WHERE yank.artifact_id = artifact.id) LIMIT 1),
    (SELECT false FROM artifact WHERE artifact.build_id = build.id LIMIT 1), true)"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an artifact is to be: slugs and a path, as the uploader wrote them."""

    organization: str
    project: str
    path: str


@dataclass(frozen=True, slots=True)
class BuildFilter:
    """Which builds of a project; what is None is not asked.

    `commit_prefix` is hexadecimal and lowercase: the first characters of a commit.
    """

    state: BuildState | None = None
    ref: str | None = None
    commit: str | None = None
    commit_prefix: str | None = None
    name: str | None = None
    since: datetime | None = None


def find_project(*, organization: str, project: str) -> Project | None:
    """The project of these slugs, with its organization, whoever asks."""
    if not is_slug(organization) or not is_slug(project):
        return None
    found = Project.objects.select_related("organization")
    return found.filter(organization__slug=organization, slug=project).first()


def visible_project(*, actor: Actor, organization: str, project: str) -> Project:
    """The project of these slugs, with its organization.

    Raises:
        ProjectNotFound: there is none, or it does not exist for this actor.
    """
    if not is_slug(organization) or not is_slug(project):
        raise ProjectNotFound
    seen = projects_seen_by(actor).filter(organization__slug=organization, slug=project)
    found = seen.first()
    if found is None:
        raise ProjectNotFound
    return found


def visible_organization(*, actor: Actor, organization: str) -> Organization:
    """The organization of this slug.

    Raises:
        OrganizationNotFound: there is none, or it does not exist for this actor.
    """
    if not is_slug(organization):
        raise OrganizationNotFound
    # One query, whatever it finds: how long the answer takes tells nothing either.
    found = organizations_seen_by(actor).filter(slug=organization).first()
    if found is None:
        raise OrganizationNotFound
    return found


def organizations_seen_by(actor: Actor) -> QuerySet[Organization]:
    """The organizations that the actor belongs to, or sees a project of, by slug."""
    found = Organization.objects.order_by("slug")
    if sees_everything(actor):
        return found
    belongs = {grant.organization for grant in actor.organization_grants}
    seen = _projects_seen_by(actor).filter(organization=OuterRef("pk"))
    return found.filter(Q(pk__in=belongs) | Exists(seen))


def projects_seen_by(actor: Actor) -> QuerySet[Project]:
    """The projects that exist for the actor, with their organizations, by organization and slug."""
    found = _projects_seen_by(actor).select_related("organization")
    return found.order_by("organization__slug", "slug")


def visible_build(*, actor: Actor, build: UUID, project: Project | None = None) -> Build:
    """The build with its project; only of this project where one is given.

    Raises:
        BuildNotFound: there is none, or it does not exist for this actor.
    """
    one = _build_seen_by(actor, build)
    if project is not None and one.project_id != project.pk:
        raise BuildNotFound
    if one.state == BuildState.OPEN and not _is_its_own(actor, one):
        raise BuildNotFound
    return one


def own_build(*, actor: Actor, build: UUID) -> Build:
    """The build with its project, in any state, for one of those who may add to it and seal it.

    Raises:
        BuildNotFound: there is none, or its project does not exist for this actor.
        Unauthenticated, PermissionMissing: the actor may not upload to the project.
        BuildNotYours: the build is not the actor's job's.
        MalformedFacts: the facts of the job cannot be read.
    """
    one = _build_seen_by(actor, build)
    require_own(actor, one)
    return one


def own_upload(*, actor: Actor, upload: UUID) -> Upload:
    """The direct upload with its build and project, for one of those who may add to that build.

    Raises:
        UploadNotFound: there is none, or its project does not exist for this actor.
        Unauthenticated, PermissionMissing: the actor may not upload to the project.
        BuildNotYours: the build is not the actor's job's.
    """
    found = Upload.objects.select_related("build__project__organization", "artifact")
    one = found.filter(of_projects_seen_by(actor, "build__project"), pk=upload).first()
    if one is None:
        raise UploadNotFound
    require_own(actor, one.build)
    return one


def require_own(actor: Actor, build: Build) -> None:
    """Refuse an actor who sees the build, but is none of those who may add to it.

    Raises:
        Unauthenticated, PermissionMissing, BuildNotYours, MalformedFacts: as `own_build`.
    """
    actor.require(Permission.UPLOAD, project=build.project_id)
    if not _is_its_own(actor, build):
        raise BuildNotYours(build=build.pk, actor=actor.name)


def visible_artifact(*, actor: Actor, artifact: UUID) -> Artifact:
    """The artifact with blob, build and project.

    Raises:
        ArtifactNotFound: there is none, or it does not exist for this actor.
        ArtifactExpired: a retention run has taken it away.
        ArtifactRemoved: somebody has.
    """
    found = whole_artifact(actor=actor, artifact=artifact)
    return found if found is not None else _refuse_absent(actor, Q(pk=artifact))


def visible_artifact_at(*, actor: Actor, build: Build, path: str) -> Artifact:
    """The artifact at this path of the build, with blob, build and project.

    Raises:
        ArtifactNotFound: there is none, or it does not exist for this actor.
    """
    if not is_path(path):
        raise ArtifactNotFound
    found = whole_artifact_at(actor=actor, build=build.pk, path=path)
    return found if found is not None else _refuse_absent(actor, Q(build=build, path=path))


def artifact_of_build(*, build: Build, path: str) -> Artifact | None:
    """The build's file at this path, whoever asks."""
    found = Artifact.objects.select_related("blob", "build", "project__organization")
    return found.filter(build=build, path=path).first()


def artifacts_of(build: Build) -> list[Artifact]:
    """The build's files with their blobs and contributions, by path."""
    return list(build.artifacts.select_related("blob", "contribution").order_by("path"))


def builds_after(
    position: Position | None,
    *,
    project: Project,
    limit: int,
    wanted: BuildFilter = BuildFilter(),
) -> Sequence[Build]:
    """The project's builds behind the position (None: from the newest on), newest first.

    One whose files are all yanked is there for who names it, by its commit or name.
    """
    builds = Build.objects.filter(project=project).exclude(state=BuildState.OPEN)
    if wanted.commit is wanted.commit_prefix is wanted.name is None:
        builds = builds.filter(RawSQL(IS_LISTED, [], output_field=BooleanField()))  # noqa: S611 - a constant
    equal = {"state": wanted.state, "ref": wanted.ref, "commit": wanted.commit, "name": wanted.name}
    builds = builds.filter(**{field: value for field, value in equal.items() if value is not None})
    if wanted.commit_prefix is not None:
        # A range that an index answers; no hexadecimal character comes behind "f".
        end = f"{wanted.commit_prefix}g"
        builds = builds.filter(commit__gt="", commit__gte=wanted.commit_prefix, commit__lt=end)
    if wanted.since is not None:
        builds = builds.filter(opened_at__gte=wanted.since)
    if position is not None:
        older = Q(opened_at__lt=position.opened_at)
        same_moment = Q(opened_at=position.opened_at, id__gt=position.build)
        # The first condition says nothing new, but an index can begin there.
        builds = builds.filter(Q(opened_at__lte=position.opened_at) & (older | same_moment))
    return list(builds.order_by("-opened_at", "id")[:limit])


def refused_builds(*, limit: int) -> list[Build]:
    """The builds that were refused last, with their projects, for staff."""
    found = Build.objects.filter(state=BuildState.REFUSED).select_related("project__organization")
    return list(found.order_by("-opened_at", "id")[:limit])


def allowed_refs(*, project: Project) -> list[str]:
    """The patterns of refs that count for the project's latest, though nobody protects them."""
    found = AllowedRef.objects.filter(project=project).order_by("pattern")
    return list(found.values_list("pattern", flat=True))


def _refuse_absent(actor: Actor, wanted: Q) -> Never:
    # Asked of what exists for the actor alone.
    seen = of_projects_seen_by(actor)
    _require_not_removed(_trashed().filter(seen, wanted).first())
    _require_not_removed(Tombstone.objects.filter(seen, wanted).first())
    raise ArtifactNotFound


def require_name_free(gone: Tombstone | TrashedArtifact | None, *, digest: Sha256) -> None:
    """Refuse what was taken away: a name is never given to other bytes, nor again.

    Raises:
        PathTaken: the name was that of other bytes.
        ArtifactExpired, ArtifactRemoved: it was that of these.
    """
    if gone is not None and gone.sha256 != digest.hex:
        raise PathTaken(
            path=gone.path,
            existing_sha256=gone.sha256,
            sent_sha256=digest.hex,
            artifact=gone.artifact_id,
        )
    _require_not_removed(gone)


def _trashed() -> QuerySet[TrashedArtifact]:
    return TrashedArtifact.objects.select_related("blob", "project__organization")


def _require_not_removed(gone: Tombstone | TrashedArtifact | None) -> None:
    if gone is None:
        return
    facts: dict[str, object] = {"artifact": gone.artifact_id, "removed_at": gone.removed_at}
    if isinstance(gone, TrashedArtifact):
        facts["restorable_until"] = gone.restorable_until
        facts["restored_by"] = f"an owner of {gone.project}"
    else:
        facts["attestation"] = gone.attestation_id
    if gone.level is None:
        raise ArtifactRemoved(**facts, reason=gone.reason)
    raise ArtifactExpired(
        **facts,
        expired_at=gone.expired_at,
        rule=gone.rule,
        level=Level(gone.level).word,
        version=gone.version,
    )


def _is_its_own(actor: Actor, build: Build) -> bool:
    return is_of_build(
        actor,
        key=build.key,
        name=build.name,
        is_shared=build.is_shared,
        opened_by=build.opened_by,
        origin=build.origin,
    )


def _projects_seen_by(actor: Actor) -> QuerySet[Project]:
    if sees_everything(actor):
        return Project.objects.all()
    return Project.objects.filter(Q(is_public=True) | Q(pk__in=granted(actor)))


def _build_seen_by(actor: Actor, build: UUID) -> Build:
    found = Build.objects.select_related("project__organization")
    one = found.filter(of_projects_seen_by(actor), pk=build).first()
    if one is None:
        raise BuildNotFound
    return one
