"""The absolute addresses of things: below the public URL, never below what a client sent."""

from urllib.parse import quote
from uuid import UUID

from django.conf import settings

from artifacts.models import Artifact, Build, Organization, Project, Tombstone


def root() -> str:
    """The native API."""
    return f"{settings.PUBLIC_URL}/api/v1"


def organization_url(organization: Organization) -> str:
    """An organization, by its present name."""
    return f"{root()}/organizations/{organization.slug}"


def project_url(project: Project) -> str:
    """A project, by its present name."""
    return f"{root()}/projects/{project.organization.slug}/{project.slug}"


def build_url(build: Build) -> str:
    """A build, by its id alone."""
    return f"{root()}/builds/{build.pk}"


def artifact_url(artifact: Artifact, part: str = "") -> str:
    """An artifact by its id alone, or one of its parts."""
    return f"{root()}/artifacts/{artifact.pk}{part}"


def bundle_url(artifact: Artifact, attestation: UUID | str) -> str:
    """The bundle of one attestation about the artifact's bytes."""
    return artifact_url(artifact, f"/attestations/{attestation}")


def tombstone_bundle_url(tombstone: Tombstone, attestation: UUID) -> str:
    """The bundle of one attestation about an artifact that is gone."""
    return f"{root()}/artifacts/{tombstone.pk}/tombstone/attestations/{attestation}"


def named_download_url(artifact: Artifact) -> str:
    """The verified download by project, build and path."""
    path = quote(artifact.path, safe="/")
    return f"{project_url(artifact.project)}/builds/{artifact.build_id}/artifacts/{path}"
