"""The shapes of access' requests and answers: explicit fields, one class for in, one for out."""

from datetime import timedelta
from typing import Any, Final

from rest_framework import serializers

from access.domain.identity_token import ALGORITHMS, LONGEST_LIFE
from access.domain.issuers import NewIssuer, preset
from access.domain.publishers import DEFAULT_WAIT
from access.domain.roles import SERVICE_PERMISSIONS
from access.domain.tokens import LONGEST_API_LIFE
from access.models import Issuer, Token, TrustedPublisher
from access.usecases.add_publisher import NewPublisher
from access.usecases.change_issuer import IssuerLimits
from kernel.actor import Actor
from provenance.domain.build_facts import Platform

DEFAULT_LIFE_DAYS: Final = 90
_SECONDS_A_DAY: Final = 86_400
_TOO_LONG: Final = 10 * int(LONGEST_API_LIFE.total_seconds())  # the use case names the real limit


class PreflightIn(serializers.Serializer[Any]):
    """An identity token, and the project where the identity has several."""

    token = serializers.CharField(max_length=60_000, trim_whitespace=False)
    project = serializers.CharField(max_length=200, required=False)


class ExchangeIn(PreflightIn):
    """An identity token to exchange; with a secret of the job's own, or first its SHA-256."""

    secret = serializers.CharField(
        min_length=32, max_length=200, trim_whitespace=False, required=False
    )
    secret_sha256 = serializers.RegexField(r"\A[0-9a-f]{64}\Z", required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two at most: the secret says its digest."""
        if "secret" in attrs and "secret_sha256" in attrs:
            raise serializers.ValidationError({"secret": ["give secret or secret_sha256"]})
        return attrs


class TokenIn(serializers.Serializer[Any]):
    """An API token to make; without a project it is one for the whole instance."""

    name = serializers.CharField(max_length=200)
    project = serializers.CharField(max_length=200, required=False, allow_null=True, default=None)
    permissions = serializers.ListField(
        child=serializers.ChoiceField(choices=[(p.value, p.value) for p in SERVICE_PERMISSIONS]),
        allow_empty=False,
        max_length=len(SERVICE_PERMISSIONS),
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
    repository_id = serializers.CharField(max_length=100, default="")
    owner_id = serializers.CharField(max_length=100, default="")
    workflow_path = serializers.CharField(max_length=500, trim_whitespace=False, default="")
    subject = serializers.CharField(max_length=500, trim_whitespace=False, default="")
    reusable_workflow = serializers.CharField(max_length=500, trim_whitespace=False, default="")
    ref = serializers.CharField(max_length=500, trim_whitespace=False, default="")
    environment = serializers.CharField(max_length=500, trim_whitespace=False, default="")
    requires_protected_ref = serializers.BooleanField(default=False)
    events = serializers.ListField(
        child=serializers.CharField(max_length=50), max_length=10, default=list
    )
    repository = serializers.CharField(max_length=500, trim_whitespace=False, default="")
    wait_seconds = serializers.IntegerField(
        min_value=0, max_value=_TOO_LONG, default=int(DEFAULT_WAIT.total_seconds())
    )

    def new_publisher(self) -> NewPublisher:
        """What is asked for."""
        given = dict(self.validated_data)
        events, wait = tuple(given.pop("events")), timedelta(seconds=given.pop("wait_seconds"))
        return NewPublisher(given.pop("issuer"), **given, events=events, wait=wait)


class PublisherOut(serializers.Serializer[TrustedPublisher]):
    """A trusted publisher."""

    id = serializers.UUIDField()
    project = serializers.CharField()
    issuer = serializers.CharField()
    issuer_url = serializers.CharField(source="issuer.url")
    repository_id = serializers.CharField()
    owner_id = serializers.CharField()
    workflow_path = serializers.CharField()
    subject = serializers.CharField()
    reusable_workflow = serializers.CharField()
    ref = serializers.CharField()
    environment = serializers.CharField()
    requires_protected_ref = serializers.BooleanField()
    events = serializers.ListField(child=serializers.CharField())
    repository = serializers.CharField()
    pending_until = serializers.DateTimeField(allow_null=True)
    pinned_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()


class IssuerIn(serializers.Serializer[Any]):
    """An issuer to accept: one of the presets by its name alone, or all of it."""

    preset = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=40)
    url = serializers.CharField(max_length=500, trim_whitespace=False)
    platform = serializers.ChoiceField(choices=[(p.value, p.value) for p in Platform])
    is_development = serializers.BooleanField(default=False)
    algorithms = serializers.ListField(
        child=serializers.CharField(max_length=10), max_length=10, default=list(ALGORITHMS)
    )
    longest_life_seconds = serializers.IntegerField(
        min_value=0, max_value=_TOO_LONG, default=int(LONGEST_LIFE.total_seconds())
    )
    allows_private_addresses = serializers.BooleanField(default=False)

    def get_fields(self) -> dict[str, Any]:
        """A preset stands for all the other fields: beside it none is read."""
        found = super().get_fields()
        given = getattr(self, "initial_data", None)  # there is none where it only is described
        is_preset = isinstance(given, dict) and "preset" in given
        return {name: one for name, one in found.items() if (name == "preset") is is_preset}

    def new_issuer(self) -> NewIssuer:
        """What is asked for.

        Raises:
            IssuerNotAllowed: there is no such preset.
        """
        given = self.validated_data
        if "preset" in given:
            return preset(given["preset"])
        return NewIssuer(
            name=given["name"],
            url=given["url"],
            platform=Platform(given["platform"]),
            is_development=given["is_development"],
            algorithms=tuple(given["algorithms"]),
            longest_life=timedelta(seconds=given["longest_life_seconds"]),
            allows_private_addresses=given["allows_private_addresses"],
        )


class IssuerChange(serializers.Serializer[Any]):
    """Limits of an issuer that shall be other ones; nothing else of it ever changes."""

    algorithms = serializers.ListField(
        child=serializers.CharField(max_length=10), max_length=10, required=False
    )
    longest_life_seconds = serializers.IntegerField(
        min_value=0, max_value=_TOO_LONG, required=False
    )
    allows_private_addresses = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A name that is none of these is refused: it would look as if it had been changed."""
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown or not attrs:
            wanted = [f"one or more of {', '.join(self.fields)}"]
            raise serializers.ValidationError(dict.fromkeys(unknown or ["algorithms"], wanted))
        return attrs

    def limits(self) -> IssuerLimits:
        """What is asked for."""
        given = self.validated_data
        seconds = given.get("longest_life_seconds")
        return IssuerLimits(
            algorithms=tuple(given["algorithms"]) if "algorithms" in given else None,
            longest_life=timedelta(seconds=seconds) if seconds is not None else None,
            allows_private_addresses=given.get("allows_private_addresses"),
        )


class IssuerOut(serializers.Serializer[Issuer]):
    """An issuer."""

    name = serializers.CharField()
    url = serializers.CharField()
    platform = serializers.CharField()
    is_development = serializers.BooleanField()
    algorithms = serializers.ListField(child=serializers.CharField())
    longest_life_seconds = serializers.IntegerField()
    allows_private_addresses = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    disabled_at = serializers.DateTimeField(allow_null=True)


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
