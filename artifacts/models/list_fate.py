"""What became of the lists of plans, previews and bulk actions."""

from django.db import models

from artifacts.domain.fates import Fate


class ListFate(models.Model):
    """Of the question with this id, whichever of the three it is. Append-only, by grant.

    The key decides who was first: a list that somebody used is never forgotten, and one that was
    forgotten is never used. Only rows of those are deleted, by a policy of the database
    (`config/grants`).
    """

    id = models.UUIDField(primary_key=True)
    fate = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Fate])
    at = models.DateTimeField()

    class Meta:
        db_table = "list_fate"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(fate__in=[one.value for one in Fate]),
                name="list_fate_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.fate}"
