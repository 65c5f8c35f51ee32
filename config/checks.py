"""Deploy checks: loud about whatever is only fit for development."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name

from access.adapters.client_secrets import client_secret
from access.domain.oidc_people import OidcProvider
from access.errors import OidcLoginUnavailable
from config.settings.env import Profile


@register(Tags.security, deploy=True)
def only_fit_for_development(**_options: Any) -> list[CheckMessage]:  # noqa: ANN401 - Django's shape
    """Errors for what production must not run with; warnings for what it should not."""
    return [
        message
        for holds, message in (*_process(), *_login(), *_attestor(), *_managed_key())
        if holds
    ]


def _process() -> list[tuple[bool, CheckMessage]]:
    return [
        (
            settings.PROFILE is not Profile.PRODUCTION,
            Error(
                f"STRONGROOM_PROFILE is {settings.PROFILE.value}: the development issuer may be "
                "added, and it gives anybody any identity.",
                hint="Set STRONGROOM_PROFILE=production.",
                id="strongroom.E001",
            ),
        ),
        (
            not settings.PUBLIC_URL.startswith("https://"),
            Error(
                "STRONGROOM_PUBLIC_URL is not https: tokens and artifacts travel in the clear.",
                id="strongroom.E002",
            ),
        ),
        (
            settings.METRICS_TOKEN is None,
            Error(
                "STRONGROOM_METRICS_TOKEN is not set: /metrics answers anybody.",
                id="strongroom.E003",
            ),
        ),
    ]


def _login() -> list[tuple[bool, CheckMessage]]:
    return [
        (
            settings.LOGIN_OIDC is not None and not _can_read(settings.LOGIN_OIDC),
            Error(
                "STRONGROOM_LOGIN_OIDC_CLIENT_SECRET_FILE cannot be read, or has nothing in it: "
                "nobody can log in with the provider.",
                hint="Run this check under the web server's account, with its environment.",
                id="strongroom.E005",
            ),
        )
    ]


def _can_read(provider: OidcProvider) -> bool:
    try:
        return client_secret(provider) != ""
    except OidcLoginUnavailable:
        return False


def _key_scheme() -> str:
    """Where the managed key is, as far as this process was told: web servers are not."""
    uri = settings.MANAGED_KEY.uri if settings.SIGNER == "key" else None
    return (uri or "").partition(":")[0]


def _has_attestors_key() -> bool:
    return settings.ATTESTOR_KEY_FILE is not None or _key_scheme() != ""


def _managed_key() -> list[tuple[bool, CheckMessage]]:
    return [
        (
            _key_scheme() == "file",
            Warning(
                "The managed key is in a file: whoever reads it once can sign as this store "
                "for ever, anywhere.",
                hint="Keep the key in a key service or a PKCS#11 token (docs/signers.md), or set "
                "STRONGROOM_SILENCED_CHECKS=strongroom.W004.",
                id="strongroom.W004",
            ),
        ),
        (
            _key_scheme() != "" and not settings.MANAGED_KEY.timestamps,
            Warning(
                "The managed key signs without timestamps: it can be given no end, only be revoked "
                "with everything that it ever signed.",
                hint="Set STRONGROOM_KEY_TIMESTAMPS before the key is listed (docs/signers.md), or "
                "STRONGROOM_SILENCED_CHECKS=strongroom.W005.",
                id="strongroom.W005",
            ),
        ),
    ]


def _attestor() -> list[tuple[bool, CheckMessage]]:
    return [
        (
            _has_attestors_key() and not settings.ATTESTOR_KEY_IS_SHARED,
            Error(
                "This process was given the attestor's key although "
                "STRONGROOM_ATTESTOR_IS_ISOLATED says that only the worker has it.",
                hint="Run this check with the web server's environment.",
                id="strongroom.E004",
            ),
        ),
        (
            settings.ATTESTOR_KEY_IS_SHARED,
            Warning(
                "The account of the web server can read the attestor's key; every level is "
                "capped at SLSA_BUILD_LEVEL_1.",
                hint="Run the worker under an account of its own that alone can read "
                "STRONGROOM_ATTESTOR_KEY_FILE, then set STRONGROOM_ATTESTOR_IS_ISOLATED=true.",
                id="strongroom.W001",
            ),
        ),
        (
            settings.WEB_ANSWERS_FOR_ATTESTOR,
            Warning(
                "The web server answers for the key of the attestor's identity tokens: whoever "
                "takes it over can get certificates in the attestor's name, so that every level "
                "is capped at SLSA_BUILD_LEVEL_1.",
                hint="Let the proxy serve the files of `manage.py write_identity_issuer` from "
                "where the web server cannot write, then set "
                "STRONGROOM_SIGSTORE_ISSUER_IS_ISOLATED=true.",
                id="strongroom.W003",
            ),
        ),
        (
            settings.SIGNER == "embedded",
            Warning(
                "The embedded signer is in use: one operator holds the certificate authority, "
                "the logs and the attestor's key. Its signatures have an audit trail, not "
                "independent transparency.",
                hint="Set STRONGROOM_SILENCED_CHECKS=strongroom.W002 once that is what you want.",
                id="strongroom.W002",
            ),
        ),
    ]
