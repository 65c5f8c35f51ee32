"""Windows for staff: projects, builds and artifacts."""

from django.contrib import admin

from artifacts.models import (
    AllowedRef,
    Artifact,
    Blob,
    Build,
    Contribution,
    Download,
    Organization,
    Project,
    StoreProbe,
    Upload,
)
from kernel.staff import ReadOnly


@admin.register(Organization)
class OrganizationAdmin(ReadOnly):
    """Tenants."""

    list_display = ("slug", "id", "created_at")
    search_fields = ("slug",)


@admin.register(Project)
class ProjectAdmin(ReadOnly):
    """What uploads go to."""

    list_display = ("__str__", "is_public", "id", "created_at")
    list_select_related = ("organization",)
    search_fields = ("slug", "organization__slug")


@admin.register(Build)
class BuildAdmin(ReadOnly):
    """Builds, newest first."""

    list_display = ("id", "project", "name", "state", "opened_by", "opened_at", "published_at")
    list_filter = ("state",)
    list_select_related = ("project__organization",)
    ordering = ("-opened_at",)


@admin.register(Contribution)
class ContributionAdmin(ReadOnly):
    """What was witnessed of the tokens that brought files, newest first."""

    list_display = ("job", "build", "joined_at")
    ordering = ("-joined_at",)


@admin.register(Artifact)
class ArtifactAdmin(ReadOnly):
    """Named files, newest first."""

    list_display = ("path", "project", "blob", "stored_at")
    list_select_related = ("project__organization", "blob")
    ordering = ("-stored_at",)
    search_fields = ("path", "blob__sha256")


@admin.register(Blob)
class BlobAdmin(ReadOnly):
    """Immutable bytes."""

    list_display = ("sha256", "size_bytes", "state", "stored_at")
    search_fields = ("sha256",)


@admin.register(Upload)
class UploadAdmin(ReadOnly):
    """Direct uploads, newest first."""

    list_display = ("path", "build", "state", "size_bytes", "measured_bytes", "started_at")
    list_filter = ("state",)
    ordering = ("-started_at",)


@admin.register(StoreProbe)
class StoreProbeAdmin(ReadOnly):
    """What was found when the bucket was tried."""

    list_display = ("place", "missing_for_direct", "probed_at")


@admin.register(AllowedRef)
class AllowedRefAdmin(ReadOnly):
    """Refs that count for a project's latest although nobody protects them."""

    list_display = ("pattern", "project", "allowed_at")
    list_select_related = ("project__organization",)


@admin.register(Download)
class DownloadAdmin(ReadOnly):
    """Who was given what, newest first."""

    list_display = ("at", "actor", "address", "path", "way", "verdict", "reason")
    ordering = ("-at",)
    show_full_result_count = False
