"""Every address of the store."""

from django.contrib import admin
from django.urls import include, path

from config import health
from config.reference import pages as reference

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("api/v1/openapi.json", reference.as_json),
    path("api/v1/openapi.yaml", reference.as_yaml),
    path("api/v1/docs", reference.docs),
    path("", include("provenance.api.urls")),
    path("api/v1/", include("artifacts.api.urls")),
    path("", include("access.api.urls")),
    path("", include("console.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "console.answers.bad_request"
handler404 = "console.answers.not_found"
handler500 = "console.answers.unexpected"
