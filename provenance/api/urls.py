"""Addresses that statements and consumers refer to. They never change their meaning."""

from django.urls import path

from provenance.api import log, pages, well_known

urlpatterns = [
    path("builders/<str:issuer_name>/<str:mode_name>/v1", pages.builder),
    path("attestors/release/v1", pages.release_attestor),
    path("attestors/removal/v1", pages.removal_attestor),
    path("predicates/removal/v1", pages.removal_predicate),
    path("buildtypes/<str:name>/v1", pages.build_type),
    path("buildtypes/<str:name>/v1/schema.json", pages.build_type_schema),
    path("log/", log.trees),
    path("log/<str:tree>/checkpoint", log.checkpoint),
    path("log/<str:tree>/consistency", log.consistency),
    path(".well-known/trusted_root.json", well_known.current_trust_root),
    path(".well-known/strongroom-trust-root.json", well_known.current_trust_document),
    path(".well-known/signing-keys.json", well_known.signing_keys),
    path(".well-known/signing-keys/<str:identity>.pem", well_known.signing_key),
    path(".well-known/trusted_root/<int:version>.json", well_known.old_trust_root),
    path(".well-known/trusted_root_history.json", well_known.trust_root_versions),
    path(".well-known/openid-configuration", well_known.openid_configuration),
    path(".well-known/jwks.json", well_known.issuer_keys),
]
