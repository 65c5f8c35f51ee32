"""The trust root, with its history, where consumers look for it; and the store as an issuer."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from kernel.rest import problem_response
from provenance.domain.identity_issuer import discovery_document, key_set
from provenance.errors import NoSuchPage, TrustRootMissing
from provenance.queries import identity_key, trust_root, trust_root_history, trust_state

MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"


@require_safe
def current_trust_root(request: HttpRequest) -> HttpResponse:
    """The current TrustedRoot, as the exact bytes that were published."""
    version = trust_state().trust_root_version
    if version == 0:
        return problem_response(TrustRootMissing(version=0), request)
    return _document(version)


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
    if _identity_key() is None:
        return problem_response(NoSuchPage(page=request.path), request)
    return JsonResponse(discovery_document(issuer=settings.PUBLIC_URL))


@require_safe
def identity_keys(request: HttpRequest) -> HttpResponse:
    """The issuer's public key."""
    spki = _identity_key()
    if spki is None:
        return problem_response(NoSuchPage(page=request.path), request)
    return JsonResponse(key_set(spki))


def _identity_key() -> bytes | None:
    """The key that this process answers for: none where others answer in its place."""
    return identity_key() if settings.WEB_ANSWERS_FOR_ATTESTOR else None


def _document(version: int) -> HttpResponse:
    response = HttpResponse(trust_root(version=version), content_type=MEDIA_TYPE)
    response["Content-Disposition"] = 'inline; filename="trusted_root.json"'
    response["X-Trust-Root-Version"] = str(version)
    return response
