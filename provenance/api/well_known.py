"""The trust root, with its history, where consumers look for it; and the store as an issuer."""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from kernel.rest import problem_response
from provenance.domain.identity_issuer import discovery_document, key_set
from provenance.domain.signing_keys import SigningKey, key_document, public_pem
from provenance.domain.trust_document import SIGSTORE_MEDIA_TYPE, read_trust_document
from provenance.errors import NoSuchPage, TrustRootMissing
from provenance.queries import identity_keys, trust_root, trust_root_history, trust_state
from provenance.queries import signing_keys as listed_keys

DOCUMENT_NAME: Final = "strongroom-trust-root.json"


@require_safe
def current_trust_root(request: HttpRequest) -> HttpResponse:
    """The current TrustedRoot, as Sigstore's own tools read it."""
    version = trust_state().trust_root_version
    if version == 0:
        return problem_response(TrustRootMissing(version=0), request)
    return _document(version)


@require_safe
def current_trust_document(request: HttpRequest) -> HttpResponse:
    """What `strongroom` pins: the same, with the managed signing keys where there are any."""
    version = trust_state().trust_root_version
    if version == 0:
        return problem_response(TrustRootMissing(version=0), request)
    return _answer(
        trust_root(version=version), version, name=DOCUMENT_NAME, media_type="application/json"
    )


@require_safe
def signing_keys(request: HttpRequest) -> HttpResponse:
    """The managed signing keys, revoked ones included, each with the address of its PEM."""
    documents = [
        {**key_document(key), "pem": request.build_absolute_uri(f"signing-keys/{key.id}.pem")}
        for key in _listed()
    ]
    return JsonResponse({"signingKeys": documents})


@require_safe
def signing_key(request: HttpRequest, identity: str) -> HttpResponse:
    """One public key as PEM, as `cosign --key` reads it. A revoked one is not handed out."""
    for key in _listed():
        if key.id == identity and key.revoked_at is None:
            response = HttpResponse(public_pem(key), content_type="application/x-pem-file")
            response["Content-Disposition"] = f'inline; filename="{key.id}.pem"'
            return response
    return problem_response(NoSuchPage(page=request.path), request)


def _listed() -> tuple[SigningKey, ...]:
    version = trust_state().trust_root_version
    return listed_keys(version=version) if version else ()


@require_safe
def old_trust_root(request: HttpRequest, version: int) -> HttpResponse:
    """One version, current or not: old bundles stay verifiable."""
    try:
        return _document(version)
    except TrustRootMissing:
        return problem_response(NoSuchPage(page=request.path), request)


@require_safe
def trust_root_versions(request: HttpRequest) -> HttpResponse:
    """Every version with its time and address, oldest first."""
    versions = [
        {
            "version": one.version,
            "published_at": one.published_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "url": request.build_absolute_uri(f"trusted_root/{one.version}.json"),
        }
        for one in trust_root_history()
    ]
    return JsonResponse({"current": trust_state().trust_root_version, "versions": versions})


@require_safe
def openid_configuration(request: HttpRequest) -> HttpResponse:
    """The store as an issuer of its attestor's identity tokens, as a Sigstore CA asks for it."""
    if not _identity_keys():
        return problem_response(NoSuchPage(page=request.path), request)
    return JsonResponse(discovery_document(issuer=settings.PUBLIC_URL))


@require_safe
def issuer_keys(request: HttpRequest) -> HttpResponse:
    """The issuer's public keys: the one in use, and one that is announced."""
    spkis = _identity_keys()
    if not spkis:
        return problem_response(NoSuchPage(page=request.path), request)
    return JsonResponse(key_set(*spkis))


def _identity_keys() -> list[bytes]:
    """The keys that this process answers for: none where others answer in its place."""
    return identity_keys() if settings.WEB_ANSWERS_FOR_ATTESTOR else []


def _document(version: int) -> HttpResponse:
    """Sigstore's TrustedRoot alone: other tools refuse members that they do not know."""
    trusted_root = read_trust_document(trust_root(version=version)).trusted_root
    return _answer(trusted_root, version, name="trusted_root.json", media_type=SIGSTORE_MEDIA_TYPE)


def _answer(content: bytes, version: int, *, name: str, media_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["X-Trust-Root-Version"] = str(version)
    return response
