"""Legal holds, who wanted them lifted, and that they were; append-only by grant, all three."""

import uuid

from django.db import models

from artifacts.domain.holds import Consent, Reach, Standing
from artifacts.domain.patterns import MAX_PATTERN_CHARACTERS, Pattern
from artifacts.models.project import Project


class Hold(models.Model):
    """Something of a project that must not go, by whom and why (`domain/holds`).

    `artifact_id` and `build_id` are without foreign keys: a hold tells what was held for ever.
    `expression` is what `paths` means to the database.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    # The index below begins with it.
    project = models.ForeignKey(Project, on_delete=models.PROTECT, db_index=False)
    artifact_id = models.UUIDField(null=True)
    build_id = models.UUIDField(null=True)
    paths = models.CharField(max_length=MAX_PATTERN_CHARACTERS, null=True)
    expression = models.CharField(max_length=4 * MAX_PATTERN_CHARACTERS, null=True)
    reason = models.CharField(max_length=500)
    placed_at = models.DateTimeField()
    placed_by = models.CharField(max_length=200)
    ends_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "hold"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(artifact_id=None, build_id=None)
                | models.Q(artifact_id=None, paths=None)
                | models.Q(build_id=None, paths=None),
                name="hold_names_one_thing",
            ),
            models.CheckConstraint(
                condition=models.Q(paths=None, expression=None)
                | models.Q(paths__isnull=False, expression__isnull=False),
                name="hold_paths_have_expression",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="hold_has_reason"),
            models.CheckConstraint(
                condition=models.Q(ends_at=None) | models.Q(ends_at__gt=models.F("placed_at")),
                name="hold_ends_behind_its_beginning",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-placed_at", "id"], name="hold_newest_in_project"),
            models.Index(fields=["-placed_at", "id"], name="hold_newest"),
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"

    @property
    def reach(self) -> Reach:
        """What it covers."""
        paths = Pattern(self.paths) if self.paths is not None else None
        return Reach(self.artifact_id, self.build_id, paths)

    @property
    def standing(self) -> Standing:
        """Whether it was lifted, and when it ends; with `lifting` loaded, without a query."""
        lifting = getattr(self, "lifting", None)
        return Standing(lifting.lifted_at if lifting is not None else None, self.ends_at)


class HoldConsent(models.Model):
    """Somebody's word that a hold should be lifted; the first is the request."""

    id = models.BigAutoField(primary_key=True)
    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="consents")
    person = models.BigIntegerField()
    given_by = models.CharField(max_length=200)
    reason = models.CharField(max_length=500)
    given_at = models.DateTimeField()

    class Meta:
        db_table = "hold_consent"

    def __str__(self) -> str:
        return f"{self.given_by} about {self.hold_id}"

    @property
    def consent(self) -> Consent:
        """The same for the rule."""
        return Consent(self.person, self.given_at)


class HoldLifting(models.Model):
    """That enough persons wanted a hold lifted, and since when it is."""

    hold = models.OneToOneField(
        Hold, on_delete=models.PROTECT, primary_key=True, related_name="lifting"
    )
    lifted_at = models.DateTimeField()

    class Meta:
        db_table = "hold_lifting"

    def __str__(self) -> str:
        return f"lifting of {self.hold_id}"
