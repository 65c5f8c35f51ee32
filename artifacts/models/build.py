"""Builds: the files that one CI job uploaded, several jobs of a run, or one release."""

import uuid

from django.db import models

from artifacts.domain.lifecycle import BuildState
from artifacts.models.project import Project


class Build(models.Model):
    """Files that become visible together. `origin` is a job's key, a run's key, or `release`.

    `key` and `name` are how its jobs find it again; null where nobody does. A job has one build of
    a name, for ever; a run has one open shared build of a name, and may have sealed ones before.
    What was witnessed stands with the contributions, because jobs of a shared build differ; `ref`
    and `commit` repeat what was witnessed of the one that opened it, to be searched for.
    `asked_life_days` is the life that whoever opened it asked for; policies may end it sooner.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    project = models.ForeignKey(Project, on_delete=models.PROTECT)
    origin = models.CharField(max_length=500)
    key = models.CharField(max_length=500, null=True)
    name = models.CharField(max_length=64, blank=True)
    is_shared = models.BooleanField(default=False)
    opened_by = models.CharField(max_length=200)
    ref = models.CharField(max_length=500, blank=True)
    commit = models.CharField(max_length=64, blank=True)
    asked_life_days = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=10, default=BuildState.OPEN)
    opened_at = models.DateTimeField()
    sealed_at = models.DateTimeField(null=True)
    sealed_in_attempt = models.CharField(max_length=20, blank=True)
    published_at = models.DateTimeField(null=True)
    refused = models.JSONField(null=True)

    class Meta:
        db_table = "build"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in BuildState]),
                name="build_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(state=BuildState.PUBLISHED, published_at__isnull=False)
                | ~models.Q(state=BuildState.PUBLISHED),
                name="published_build_has_time",
            ),
            models.UniqueConstraint(
                fields=["project", "key", "name"],
                condition=models.Q(is_shared=False),
                name="one_build_per_job_and_name",
            ),
            models.UniqueConstraint(
                fields=["project", "key", "name"],
                condition=models.Q(is_shared=True, state=BuildState.OPEN),
                name="one_open_build_per_run_and_name",
            ),
        ]
        indexes = [
            # Of all projects, for staff; the rare states have an index of their own.
            models.Index(fields=["-opened_at", "id"], name="build_newest"),
            models.Index(
                fields=["state", "-opened_at", "id"],
                condition=~models.Q(state=BuildState.PUBLISHED),
                name="build_newest_unpublished",
            ),
            models.Index(fields=["project", "-opened_at", "id"], name="build_newest_in_project"),
            # Most builds are published: those are found by the index above.
            models.Index(
                fields=["project", "state", "-opened_at", "id"],
                condition=models.Q(state__in=[BuildState.SEALED, BuildState.REFUSED]),
                name="build_unpublished",
            ),
            models.Index(
                fields=["project", "ref", "-opened_at", "id"],
                condition=models.Q(ref__gt=""),
                name="build_newest_of_ref",
            ),
            models.Index(
                fields=["project", "commit", "-opened_at", "id"],
                condition=models.Q(commit__gt=""),
                name="build_newest_of_commit",
            ),
            models.Index(
                fields=["project", "name", "-opened_at", "id"],
                condition=models.Q(name__gt=""),
                name="build_newest_of_name",
            ),
            models.Index(
                fields=["opened_at"],
                condition=models.Q(state=BuildState.OPEN),
                name="build_left_open",
            ),
        ]

    def __str__(self) -> str:
        return f"build {self.pk}"
