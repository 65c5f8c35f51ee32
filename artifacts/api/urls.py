"""The native API's addresses, below /api/v1/."""

from typing import Final

from django.urls import path, register_converter

from artifacts.api import (
    administration,
    builds,
    bulk_actions,
    consumers,
    direct,
    download_log,
    downloads,
    evidence,
    finding,
    holds,
    latest,
    listings,
    members,
    policy,
    queue,
    quotas,
    retention,
    retention_plans,
    retention_previews,
    taking_back,
    tombstones,
    transparency,
    uploads,
    uses,
)


class AnyPath:
    """Whatever follows, also nothing and line ends: what is wrong with it is said by name."""

    regex = r"(?s:.*)"

    def to_python(self, value: str) -> str:
        """The path as it was decoded."""
        return value

    def to_url(self, value: str) -> str:
        """The path as it is."""
        return value


register_converter(AnyPath, "artifact_path")

_PROJECT: Final = "projects/<str:organization>/<str:project>"

urlpatterns = [
    path("", listings.Index.as_view()),
    path("limits", listings.Limits.as_view()),
    path("signing-queue", queue.SigningQueue.as_view()),
    path("organizations", administration.Organizations.as_view()),
    path("organizations/<str:organization>", administration.OrganizationDetail.as_view()),
    path("organizations/<str:organization>/usage", quotas.OrganizationUsage.as_view()),
    path("organizations/<str:organization>/quota", quotas.OrganizationQuota.as_view()),
    path(
        "organizations/<str:organization>/retention-policy",
        retention.OrganizationRetention.as_view(),
    ),
    path(
        "organizations/<str:organization>/retention-plans",
        retention_plans.OrganizationPlans.as_view(),
    ),
    path(
        "organizations/<str:organization>/retention-policy/preview",
        retention_previews.OrganizationPreview.as_view(),
    ),
    path("retention-previews/<uuid:preview>", retention_previews.PreviewDetail.as_view()),
    path("retention-previews/<uuid:preview>/items", retention_previews.PreviewItems.as_view()),
    path("retention-plans", retention_plans.InstancePlans.as_view()),
    path("retention-plans/<uuid:plan>", retention_plans.PlanDetail.as_view()),
    path("retention-plans/<uuid:plan>/items", retention_plans.PlanItems.as_view()),
    path("retention-plans/<uuid:plan>/freed", retention_plans.PlanFreed.as_view()),
    path("retention-plans/<uuid:plan>/apply", retention_plans.PlanApply.as_view()),
    path("retention-plans/<uuid:plan>/cancel", retention_plans.PlanCancel.as_view()),
    path("holds", holds.InstanceHolds.as_view()),
    path("holds/<uuid:hold>", holds.HoldDetail.as_view()),
    path("holds/<uuid:hold>/lift", holds.HoldLift.as_view()),
    path("organizations/<str:organization>/holds", holds.OrganizationHolds.as_view()),
    path(f"{_PROJECT}/holds", holds.ProjectHolds.as_view()),
    path(f"{_PROJECT}/trash", taking_back.ProjectTrash.as_view()),
    path(f"{_PROJECT}/bulk-actions", bulk_actions.ProjectBulkActions.as_view()),
    path("bulk-actions/<uuid:action>", bulk_actions.BulkActionDetail.as_view()),
    path("bulk-actions/<uuid:action>/items", bulk_actions.BulkActionItems.as_view()),
    path("bulk-actions/<uuid:action>/start", bulk_actions.BulkActionStart.as_view()),
    path("bulk-actions/<uuid:action>/cancel", bulk_actions.BulkActionCancel.as_view()),
    path(f"{_PROJECT}/uses", uses.ProjectUses.as_view()),
    path(f"{_PROJECT}/metadata/storage-record", uses.StorageRecord.as_view()),
    path(f"{_PROJECT}/metadata/deployment-record", uses.DeploymentRecord.as_view()),
    path(f"{_PROJECT}/metadata/release-record", uses.ReleaseRecord.as_view()),
    path("retention-policy", retention.InstanceRetention.as_view()),
    path("retention-policy/preview", retention_previews.InstancePreview.as_view()),
    path("projects", administration.Projects.as_view()),
    path(_PROJECT, listings.ProjectDetail.as_view()),
    path(f"{_PROJECT}/policy", policy.ProjectPolicy.as_view()),
    path(f"{_PROJECT}/retention-plans", retention_plans.ProjectPlans.as_view()),
    path(f"{_PROJECT}/retention-policy", retention.ProjectRetention.as_view()),
    path(f"{_PROJECT}/retention-policy/preview", retention_previews.ProjectPreview.as_view()),
    path(f"{_PROJECT}/transparency", transparency.ProjectTransparency.as_view()),
    path(f"{_PROJECT}/usage", quotas.ProjectUsage.as_view()),
    path(f"{_PROJECT}/quota", quotas.ProjectQuota.as_view()),
    path(f"{_PROJECT}/builds", builds.ProjectBuilds.as_view()),
    path(f"{_PROJECT}/builds/<uuid:build>", listings.ProjectBuildDetail.as_view()),
    path(
        f"{_PROJECT}/builds/<uuid:build>/artifacts/<artifact_path:path>",
        downloads.NamedDownload.as_view(),
    ),
    path(f"{_PROJECT}/expectations", consumers.Expectations.as_view()),
    path(f"{_PROJECT}/artifacts", consumers.ProjectArtifacts.as_view()),
    path(f"{_PROJECT}/files", finding.ProjectFiles.as_view()),
    path(f"{_PROJECT}/digests", finding.ProjectDigests.as_view()),
    path(f"{_PROJECT}/downloads", download_log.ProjectDownloads.as_view()),
    path(f"{_PROJECT}/refs", latest.AllowedRefs.as_view()),
    path(f"{_PROJECT}/latest/<artifact_path:path>", latest.Latest.as_view()),
    path(f"{_PROJECT}/artifacts/<artifact_path:path>", uploads.ArtifactUpload.as_view()),
    path("builds/<uuid:build>", listings.BuildDetail.as_view()),
    path("builds/<uuid:build>/files", finding.BuildFiles.as_view()),
    path("builds/<uuid:build>/files/<artifact_path:path>", uploads.BuildUpload.as_view()),
    path("builds/<uuid:build>/transparency", transparency.BuildTransparency.as_view()),
    path("builds/<uuid:build>/yank", taking_back.BuildYank.as_view()),
    path("builds/<uuid:build>/restore", taking_back.BuildRestoring.as_view()),
    path("builds/<uuid:build>/seal", builds.BuildSeal.as_view()),
    path("builds/<uuid:build>/uploads", direct.BuildUploads.as_view()),
    path("uploads/<uuid:upload>", direct.UploadDetail.as_view()),
    path("uploads/<uuid:upload>/parts", direct.UploadParts.as_view()),
    path("uploads/<uuid:upload>/complete", direct.UploadCompletion.as_view()),
    path("artifacts/<uuid:artifact>", listings.ArtifactDetail.as_view()),
    path("artifacts/<uuid:artifact>/download", downloads.ArtifactDownload.as_view()),
    path("artifacts/<uuid:artifact>/yank", taking_back.ArtifactYank.as_view()),
    path("artifacts/<uuid:artifact>/quarantine", taking_back.ArtifactQuarantine.as_view()),
    path("artifacts/<uuid:artifact>/release", taking_back.ArtifactRelease.as_view()),
    path("artifacts/<uuid:artifact>/remove", taking_back.ArtifactRemoval.as_view()),
    path("artifacts/<uuid:artifact>/restore", taking_back.ArtifactRestoring.as_view()),
    path("artifacts/<uuid:artifact>/tombstone", tombstones.ArtifactTombstone.as_view()),
    path(
        "artifacts/<uuid:artifact>/tombstone/attestations/<uuid:identity>",
        tombstones.TombstoneBundle.as_view(),
    ),
    path("artifacts/<uuid:artifact>/members", members.ArchiveMembers.as_view()),
    path("artifacts/<uuid:artifact>/members/<artifact_path:path>", members.ArchiveMember.as_view()),
    path("artifacts/<uuid:artifact>/verification", evidence.ArtifactVerification.as_view()),
    path("artifacts/<uuid:artifact>/attestations", evidence.ArtifactAttestations.as_view()),
    path(
        "artifacts/<uuid:artifact>/attestations/<uuid:identity>",
        evidence.ArtifactBundle.as_view(),
    ),
]
