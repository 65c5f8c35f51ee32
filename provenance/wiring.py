"""Builds provenance's tools from settings. Entry points call this and hand the result in."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from provenance.adapters.embedded.log import EmbeddedLog
from provenance.adapters.embedded.rotation import EmbeddedGenerations
from provenance.adapters.embedded.sealed_keys import StoreSealedKeys
from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.signer_keys import EmbeddedSignerKeys
from provenance.adapters.joined_keys import JoinedKeys
from provenance.adapters.managed_key.holders import KeyHolder
from provenance.adapters.managed_key.signer import KeySigner, Witnesses
from provenance.adapters.managed_key.signer_keys import ManagedKeys
from provenance.adapters.platform_api import ApiAddress, PlatformApi
from provenance.adapters.platforms import Platforms
from provenance.adapters.sigstore_instance.configuration import Description, InstanceFiles
from provenance.adapters.sigstore_instance.identity_keys import StoreIdentityKeys
from provenance.adapters.sigstore_instance.identity_tokens import (
    FileIdentity,
    GivenIdentity,
    IdentityTokens,
    StoreIdentities,
)
from provenance.adapters.sigstore_instance.line import Limits
from provenance.adapters.sigstore_instance.rehearsal import Rehearsal
from provenance.adapters.sigstore_instance.signer import SigstoreSigner
from provenance.adapters.sigstore_instance.signer_keys import SigstoreInstanceKeys
from provenance.adapters.sigstore_instance.tuf_repository import TufDescription
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.adapters.trusted_keys import contested_keys
from provenance.domain.transparency import DEFAULT, Transparency
from provenance.ports import (
    BundleVerifier,
    Disclosure,
    IdentityKeys,
    RunConfirmation,
    SealedKeys,
    Signer,
    SignerGenerations,
    SignerKeys,
    TransparencyLog,
)
from provenance.usecases.attest_builds import Attestor
from provenance.usecases.refresh_trust_root import ContestedKeys
from provenance.usecases.verify_subject import Judge


@cache
def verifier() -> BundleVerifier:
    """The offline verifier of Sigstore bundles."""
    return SigstoreVerifier()


@cache
def signer() -> Signer:
    """The store's attestor. Only a process that was given the attestor's key can use it."""
    if SigstoreSigner.name == settings.SIGNER:
        return _sigstore_signer(DEFAULT)
    if KeySigner.name == settings.SIGNER:
        return KeySigner(
            holder=key_holder(),
            witnesses=_witnesses(),
            base_url=settings.PUBLIC_URL,
            clock=timezone.now,
        )
    return EmbeddedSigner(key_file=settings.ATTESTOR_KEY_FILE, issuer=settings.PUBLIC_URL)


@cache
def signers_elsewhere() -> Mapping[Transparency, Signer]:
    """Who signs what owners want recorded otherwise than privately."""
    elsewhere: dict[Transparency, Signer] = {}
    if KeySigner.name == settings.SIGNER:
        others = _witnesses().transparencies - {DEFAULT}
        elsewhere |= dict.fromkeys(others, signer())
    if settings.SIGSTORE.public.is_given:
        elsewhere[Transparency.PUBLIC_LOG] = _sigstore_signer(Transparency.PUBLIC_LOG)
    return elsewhere


def disclosure() -> Disclosure | None:
    """Who knows what would become public; None where nothing can."""
    if not settings.SIGSTORE.public.is_given:
        return None
    description = _description(Transparency.PUBLIC_LOG)
    return Rehearsal(description=description, issuer=settings.PUBLIC_URL)


def offered_transparencies() -> frozenset[Transparency]:
    """Where statements can be recorded; what web server and worker say alike."""
    return frozenset({DEFAULT, *signers_elsewhere()})


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
    first: SignerKeys = EmbeddedSignerKeys(
        key_file=settings.ATTESTOR_KEY_FILE, base_url=settings.PUBLIC_URL
    )
    if SigstoreSigner.name == settings.SIGNER:
        first = _instance_keys(DEFAULT)
    elif KeySigner.name == settings.SIGNER:
        described = settings.SIGSTORE.described
        first = ManagedKeys(
            holder=key_holder(),
            witnesses=_witnesses(),
            files=InstanceFiles(described.trusted_root, described.signing_config),
            base_url=settings.PUBLIC_URL,
        )
    if not settings.SIGSTORE.public.is_given:
        return first
    return JoinedKeys(first, [_instance_keys(Transparency.PUBLIC_LOG)])


def identity_issuer_keys() -> IdentityKeys:
    """The keys of the store's own issuer, for the operator's commands."""
    return StoreIdentityKeys(key_file=settings.ATTESTOR_KEY_FILE)


def signer_generations() -> SignerGenerations:
    """The embedded signer's keys to be rotated, for the operator's commands."""
    return EmbeddedGenerations(key_file=settings.ATTESTOR_KEY_FILE, base_url=settings.PUBLIC_URL)


def sealed_keys(new_key_file: Path) -> SealedKeys:
    """The keys that the store keeps itself, for the operator's command."""
    return StoreSealedKeys(key_file=settings.ATTESTOR_KEY_FILE, new_key_file=new_key_file)


def contested() -> ContestedKeys:
    """What a trust root would lose by another one."""
    return contested_keys


def follows_repository() -> bool:
    """Whether the trust root is to follow what a TUF repository says."""
    instance = settings.SIGSTORE
    is_private_followed = SigstoreSigner.name == settings.SIGNER and instance.described.tuf
    return bool(is_private_followed or instance.public.tuf)


def _sigstore_signer(transparency: Transparency) -> SigstoreSigner:
    return SigstoreSigner(
        files=_description(transparency),
        identities=_identities(),
        transparency=transparency,
        limits=Limits(threads=settings.SIGSTORE.threads),
    )


def _instance_keys(transparency: Transparency) -> SigstoreInstanceKeys:
    return SigstoreInstanceKeys(
        files=_description(transparency),
        key_file=settings.ATTESTOR_KEY_FILE,
        has_own_issuer=settings.SIGSTORE.has_own_issuer,
    )


@cache
def _description(transparency: Transparency) -> Description:
    """One for the process: it remembers when a mirror did not answer."""
    is_public = transparency is Transparency.PUBLIC_LOG
    described = settings.SIGSTORE.public if is_public else settings.SIGSTORE.described
    if (tuf := described.tuf) is not None:
        return TufDescription(url=tuf.url, root=tuf.root, cache=tuf.cache, clock=timezone.now)
    return InstanceFiles(described.trusted_root, described.signing_config, described.prefix)


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
        elsewhere=signers_elsewhere(),
        confirmation=confirmation(),
        confirmation_wait=timedelta(seconds=settings.CONFIRMATION_WAIT_SECONDS),
    )


def judge() -> Judge:
    """What `verify_subject` needs."""
    return Judge(
        verifier=verifier(),
        key_is_shared=settings.ATTESTOR_KEY_IS_SHARED or settings.WEB_ANSWERS_FOR_ATTESTOR,
    )
