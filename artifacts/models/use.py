"""What those who have a quota have, counted in slices so that no row is everybody's."""

from typing import Final

from django.db import models

SLICES: Final = 64
CORRECTION: Final = -1


class UseSlice(models.Model):
    """One of the slices whose sum is the use of an organization or a project (`subject`: its id).

    An upload adds to the slice of its database connection, in its own transaction. Only those
    with a quota have slices. The one of the number -1 is what the last recount found to differ.
    """

    id = models.BigAutoField(primary_key=True)
    subject = models.UUIDField()
    number = models.SmallIntegerField()
    files = models.BigIntegerField(default=0)
    logical_bytes = models.BigIntegerField(default=0)
    physical_bytes = models.BigIntegerField(default=0)

    class Meta:
        db_table = "use_slice"
        constraints = [
            models.UniqueConstraint(fields=["subject", "number"], name="one_slice_per_number"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.number}"
