"""What is said of an artifact beside its row: that it is yanked, that it is quarantined."""

from django.db import models

from artifacts.models.artifact import Artifact


class Mark(models.Model):
    """Why, by whom and since when. It names the artifact for ever, also while that is away."""

    artifact = models.OneToOneField(
        Artifact,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="%(class)s",
    )
    reason = models.CharField(max_length=500)
    marked_at = models.DateTimeField()
    marked_by = models.CharField(max_length=200)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason=""), name="%(class)s_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self._meta.db_table} of {self.artifact_id}"


class Yank(Mark):
    """Its project takes it back: no list or latest names it, and whoever has its id is warned."""

    class Meta(Mark.Meta):
        db_table = "yank"


class Quarantine(Mark):
    """Its bytes are handed out to nobody, until an administrator says otherwise."""

    class Meta(Mark.Meta):
        db_table = "quarantine"
