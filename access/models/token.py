"""Tokens of the store: random, prefixed, looked up by their SHA-256, shown once."""

import uuid

from django.db import models

from access.domain.tokens import TokenKind
from access.models.issuer import UsedTokenId
from access.models.publisher import TrustedPublisher
from access.models.user import User


class Token(models.Model):
    """What a presented secret grants. The secret itself is never stored.

    `project` None means every project. A personal token has a `person`, and its `permissions` are
    the most that it does with what that person may do when it is used. `facts` and `job_key` hold
    the verified CI identity of an upload token, `exchange` the identity token that it was given
    for, while that still counts, and `publisher` the one that it was trusted as, while that is
    there.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in TokenKind])
    name = models.CharField(max_length=200)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    project = models.ForeignKey("artifacts.Project", on_delete=models.PROTECT, null=True)
    person = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="tokens")
    permissions = models.JSONField()
    facts = models.JSONField(null=True)
    exchange = models.ForeignKey(
        UsedTokenId, on_delete=models.SET_NULL, null=True, related_name="tokens"
    )
    publisher = models.ForeignKey(
        TrustedPublisher, on_delete=models.SET_NULL, null=True, related_name="tokens"
    )
    job_key = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "token"
        indexes = [
            models.Index(fields=["-created_at", "id"], name="token_newest"),
            # Most are upload tokens, which only their own jobs ask about.
            models.Index(
                fields=["kind", "-created_at", "id"],
                condition=~models.Q(kind=TokenKind.UPLOAD.value),
                name="token_newest_kept",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind=TokenKind.API.value, facts=None, person=None)
                | models.Q(
                    kind=TokenKind.PERSONAL.value, facts=None, project=None, person__isnull=False
                )
                | models.Q(
                    kind=TokenKind.UPLOAD.value,
                    facts__isnull=False,
                    project__isnull=False,
                    person=None,
                ),
                name="tokens_have_what_their_kind_needs",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} token {self.name}"
