"""The shapes of access' requests and answers: explicit fields, one class for in, one for out."""

from typing import Any, Final

from rest_framework import serializers

from access.domain.tokens import LONGEST_API_LIFE
from access.models import Issuer, Token, TrustedPublisher
from kernel.actor import Actor, Permission
from provenance.domain.build_facts import Platform

DEFAULT_LIFE_DAYS: Final = 90
_SECONDS_A_DAY: Final = 86_400
_TOO_LONG: Final = 10 * int(LONGEST_API_LIFE.total_seconds())  # the use case names the real limit


class ExchangeIn(serializers.Serializer[Any]):
    """An identity token to exchange, and the project where the identity has several."""

    token = serializers.CharField(max_length=60_000, trim_whitespace=False)
    project = serializers.CharField(max_length=200, required=False)


class TokenIn(serializers.Serializer[Any]):
    """An API token to make; without a project it is one for the whole instance."""

    name = serializers.CharField(max_length=200)
    project = serializers.CharField(max_length=200, required=False, allow_null=True, default=None)
    permissions = serializers.ListField(
        child=serializers.ChoiceField(choices=[(p.value, p.value) for p in Permission]),
        allow_empty=False,
        max_length=len(Permission),
    )
    expires_in = serializers.IntegerField(
        min_value=1, max_value=_TOO_LONG, default=DEFAULT_LIFE_DAYS * _SECONDS_A_DAY
    )


class TokenOut(serializers.Serializer[Token]):
    """A token as administrators see it: never the secret, nor what it is looked up by."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    project = serializers.CharField(allow_null=True)
    permissions = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class PublisherIn(serializers.Serializer[Any]):
    """A CI identity to trust."""

    issuer = serializers.CharField(max_length=40)
    repository_id = serializers.CharField(max_length=100)
    owner_id = serializers.CharField(max_length=100)
    workflow_path = serializers.CharField(max_length=500, trim_whitespace=False)


class PublisherOut(serializers.Serializer[TrustedPublisher]):
    """A trusted publisher."""

    id = serializers.UUIDField()
    project = serializers.CharField()
    issuer = serializers.CharField()
    issuer_url = serializers.CharField(source="issuer.url")
    repository_id = serializers.CharField()
    owner_id = serializers.CharField()
    workflow_path = serializers.CharField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()


class IssuerIn(serializers.Serializer[Any]):
    """An issuer to accept."""

    name = serializers.CharField(max_length=40)
    url = serializers.CharField(max_length=500, trim_whitespace=False)
    platform = serializers.ChoiceField(choices=[(p.value, p.value) for p in Platform])
    is_development = serializers.BooleanField(default=False)


class IssuerOut(serializers.Serializer[Issuer]):
    """An issuer."""

    name = serializers.CharField()
    url = serializers.CharField()
    platform = serializers.CharField()
    is_development = serializers.BooleanField()
    created_at = serializers.DateTimeField()


def who_am_i(actor: Actor) -> dict[str, object]:
    """An actor as it may see itself."""
    grants = sorted((str(g.project or ""), g.permission.value) for g in actor.grants)
    return {
        "actor": actor.name,
        "grants": [
            {"permission": permission, "project": project or None} for project, permission in grants
        ],
        "job": dict(actor.workload.facts) if actor.workload else None,
    }
