"""Contributions: what was witnessed of those who brought files to a build."""

from django.db import models

from artifacts.models.build import Build


class Contribution(models.Model):
    """One token's coming to a build. Facts belong to the files that came with it, not to others.

    `job` is the job's key, or `release`. `witnessed` holds the job's verified facts; null means
    that there was no CI identity, and that the files are attested as published, not as built.
    """

    id = models.BigAutoField(primary_key=True)
    build = models.ForeignKey(Build, on_delete=models.PROTECT, related_name="contributions")
    job = models.CharField(max_length=500)
    witnessed = models.JSONField(null=True)
    witnessed_sha256 = models.CharField(max_length=64, blank=True)
    joined_at = models.DateTimeField()

    class Meta:
        db_table = "contribution"
        constraints = [
            models.UniqueConstraint(
                fields=["build", "job", "witnessed_sha256"], name="one_contribution_per_token"
            ),
        ]

    def __str__(self) -> str:
        return self.job
