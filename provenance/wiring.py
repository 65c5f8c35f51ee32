"""Builds provenance's tools from settings. Entry points call this and hand the result in."""

from datetime import timedelta
from functools import cache

from django.conf import settings
from django.utils import timezone

from provenance.adapters.embedded.log import EmbeddedLog
from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.signer_keys import EmbeddedSignerKeys
from provenance.adapters.managed_key.holders import KeyHolder
from provenance.adapters.managed_key.signer import KeySigner, Witnesses
from provenance.adapters.managed_key.signer_keys import ManagedKeys
from provenance.adapters.platform_api import ApiAddress, PlatformApi
from provenance.adapters.platforms import Platforms
from provenance.adapters.sigstore_instance.configuration import InstanceFiles
from provenance.adapters.sigstore_instance.identity_tokens import (
    FileIdentity,
    GivenIdentity,
    IdentityTokens,
    StoreIdentities,
)
from provenance.adapters.sigstore_instance.signer import SigstoreSigner
from provenance.adapters.sigstore_instance.signer_keys import SigstoreInstanceKeys
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.ports import BundleVerifier, RunConfirmation, Signer, SignerKeys, TransparencyLog
from provenance.usecases.attest_builds import Attestor
from provenance.usecases.verify_subject import Judge


@cache
def verifier() -> BundleVerifier:
    """The offline verifier of Sigstore bundles."""
    return SigstoreVerifier()


@cache
def signer() -> Signer:
    """The store's attestor. Only a process that was given the attestor's key can use it."""
    if SigstoreSigner.name == settings.SIGNER:
        return SigstoreSigner(
            files=_instance_files(), identities=_identities(), threads=settings.SIGSTORE.threads
        )
    if KeySigner.name == settings.SIGNER:
        return KeySigner(
            holder=key_holder(),
            witnesses=_witnesses(),
            base_url=settings.PUBLIC_URL,
            clock=timezone.now,
        )
    return EmbeddedSigner(key_file=settings.ATTESTOR_KEY_FILE, issuer=settings.PUBLIC_URL)


@cache
def confirmation() -> RunConfirmation:
    """The platforms to ask about jobs; one for the process: it remembers who asked to wait."""
    return Platforms(
        {
            name: PlatformApi(
                ApiAddress(
                    url=api.url,
                    token_file=api.token_file,
                    allows_private_addresses=api.allows_private_addresses,
                    is_development=settings.ALLOWS_DEVELOPMENT_ISSUER,
                )
            )
            for name, api in settings.CONFIRMATIONS.items()
        }
    )


def signer_keys() -> SignerKeys:
    """The signer's long-lived keys, for the operator's commands."""
    if SigstoreSigner.name == settings.SIGNER:
        return SigstoreInstanceKeys(
            files=_instance_files(),
            key_file=settings.ATTESTOR_KEY_FILE,
            has_own_issuer=settings.SIGSTORE.has_own_issuer,
        )
    if KeySigner.name == settings.SIGNER:
        return ManagedKeys(
            holder=key_holder(),
            witnesses=_witnesses(),
            files=_instance_files(),
            base_url=settings.PUBLIC_URL,
        )
    return EmbeddedSignerKeys(key_file=settings.ATTESTOR_KEY_FILE, base_url=settings.PUBLIC_URL)


def _instance_files() -> InstanceFiles:
    return InstanceFiles(settings.SIGSTORE.trusted_root, settings.SIGSTORE.signing_config)


def key_holder() -> KeyHolder:
    """Who holds the managed key; for the worker, and for the operator's commands."""
    return KeyHolder(settings.MANAGED_KEY.uri, settings.MANAGED_KEY.secret_file)


def _witnesses() -> Witnesses:
    return Witnesses(settings.MANAGED_KEY.timestamps, settings.MANAGED_KEY.log)


def _identities() -> IdentityTokens:
    instance = settings.SIGSTORE
    if instance.identity_token_file is not None:
        return FileIdentity(instance.identity_token_file)
    if instance.identity_token is not None:
        return GivenIdentity(instance.identity_token)
    return StoreIdentities(key_file=settings.ATTESTOR_KEY_FILE, issuer=settings.PUBLIC_URL)


def log() -> TransparencyLog:
    """The embedded signer's logs, to be read; needs no key."""
    return EmbeddedLog()


def attestor() -> Attestor:
    """What `attest_builds` needs."""
    return Attestor(
        signer=signer(),
        verifier=verifier(),
        base_url=settings.PUBLIC_URL,
        confirmation=confirmation(),
        confirmation_wait=timedelta(seconds=settings.CONFIRMATION_WAIT_SECONDS),
    )


def judge() -> Judge:
    """What `verify_subject` needs."""
    return Judge(
        verifier=verifier(),
        key_is_shared=settings.ATTESTOR_KEY_IS_SHARED or settings.WEB_ANSWERS_FOR_ATTESTOR,
    )
