"""Organizations own projects."""

import uuid

from django.db import models


class Organization(models.Model):
    """A tenant. Its slug may change; its id never does, and evidence hangs on the id.

    `quota` is as `domain.quota` reads it, and null without one; `over_soft_since` is when a recount
    first found more than its soft limit.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    slug = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    quota = models.JSONField(null=True)
    over_soft_since = models.DateTimeField(null=True)

    class Meta:
        db_table = "organization"

    def __str__(self) -> str:
        return self.slug
