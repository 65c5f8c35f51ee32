"""Issuers of CI identity tokens, and the token ids that were used up."""

from typing import Final

from django.db import models

from access.domain.identity_token import ALGORITHMS, LONGEST_LIFE
from access.domain.issuers import IssuerAddress
from provenance.domain.build_facts import Platform

DEFAULT_LIFE_SECONDS: Final = int(LONGEST_LIFE.total_seconds())


def default_algorithms() -> list[str]:
    """Both that are accepted at all."""
    return list(ALGORITHMS)


class Issuer(models.Model):
    """An issuer whose tokens may be exchanged. `name` is part of its builder ids for ever.

    Since `disabled_at` none is exchanged. What was attested before is judged by the trust map.
    """

    id = models.BigAutoField(primary_key=True)
    name = models.SlugField(max_length=40, unique=True)
    url = models.CharField(max_length=500, unique=True)
    platform = models.CharField(max_length=20, choices=[(p.value, p.value) for p in Platform])
    is_development = models.BooleanField(default=False)
    algorithms = models.JSONField(default=default_algorithms)
    longest_life_seconds = models.PositiveIntegerField(default=DEFAULT_LIFE_SECONDS)
    allows_private_addresses = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "issuer"

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> IssuerAddress:
        """Where its keys are found."""
        return IssuerAddress(self.url, self.is_development, self.allows_private_addresses)


class UsedTokenId(models.Model):
    """A `jti` that was exchanged. The constraint is what makes each single-use.

    `secret_sha256` is what the job gave to prove, when it renews, that it is the same one.
    """

    id = models.BigAutoField(primary_key=True)
    issuer = models.ForeignKey(Issuer, on_delete=models.PROTECT)
    jti_sha256 = models.CharField(max_length=64)
    secret_sha256 = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "used_token_id"
        constraints = [
            models.UniqueConstraint(fields=["issuer", "jti_sha256"], name="each_jti_once"),
        ]

    def __str__(self) -> str:
        return self.jti_sha256[:12]
