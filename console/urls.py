"""The addresses of the pages. Things are named by id alone, as in the API: names can change."""

from collections.abc import Callable
from typing import Any, Final

from django.urls import URLPattern, path

from artifacts.domain.retention import Level
from console.administration import TABS
from console.views import (
    administration,
    archives,
    artifacts,
    audit,
    builds,
    bulk,
    holds,
    home,
    lives,
    passwords,
    plans,
    previews,
    problems,
    projects,
    quotas,
    reconciliation,
    retention,
    sessions,
    signing,
    storage,
)

_PLACES: Final = {
    Level.INSTANCE: "store",
    Level.ORGANIZATION: "organizations/<str:organization>",
    Level.PROJECT: "projects/<str:organization>/<str:project>",
}


def administered(page: str, view: Callable[..., Any]) -> list[URLPattern]:
    """The addresses of one page of the administrators, of the places that have its tab."""
    [levels] = [one.levels for one in TABS if one.name == page.partition("/")[0]]
    name = f"administer_{page.replace('/', '_')}"
    return [
        path(f"administration/{place}/{page}", view, name=name)
        for level, place in _PLACES.items()
        if level in levels
    ]


urlpatterns = [
    path("", home.home, name="home"),
    path("about", home.about, name="about"),
    path("projects/<str:organization>", projects.of_organization, name="organization"),
    path("projects/<str:organization>/<str:project>", projects.project, name="project"),
    path("projects/<str:organization>/<str:project>/files", projects.files, name="files"),
    path("builds/<uuid:build>", builds.build, name="build"),
    path("artifacts/<uuid:artifact>", artifacts.artifact, name="artifact"),
    path("artifacts/<uuid:artifact>/history", lives.history, name="artifact_history"),
    path("artifacts/<uuid:artifact>/members", archives.members, name="members"),
    path(
        "artifacts/<uuid:artifact>/attestations/<uuid:identity>",
        artifacts.attestation_of,
        name="attestation",
    ),
    path("administration", administration.overview, name="administration"),
    *administered("retention", retention.rules),
    *administered("retention/edit", retention.edit),
    path("administration/previews/<uuid:preview>", previews.preview, name="retention_preview"),
    *administered("storage", storage.storage),
    *administered("quotas", quotas.quotas),
    *administered("plans", plans.plans),
    *administered("reconciliation", reconciliation.reports),
    *administered("signing", signing.signing),
    *administered("audit", audit.audit),
    path("administration/plans/<uuid:plan>", plans.plan, name="retention_plan"),
    path("administration/plans/<uuid:plan>/apply", plans.apply, name="apply_plan"),
    path("administration/plans/<uuid:plan>/cancel", plans.cancel, name="cancel_plan"),
    *administered("holds", holds.holds),
    path(
        "administration/projects/<str:organization>/<str:project>/holds/place",
        holds.place_one,
        name="place_hold",
    ),
    path("administration/holds/<uuid:hold>", holds.hold, name="hold"),
    path(
        "administration/projects/<str:organization>/<str:project>/trash",
        lives.trash,
        name="administer_trash",
    ),
    path(
        "administration/projects/<str:organization>/<str:project>/bulk",
        bulk.many,
        name="administer_bulk",
    ),
    path("administration/bulk/<uuid:action>", bulk.bulk_action, name="bulk_action"),
    path("administration/bulk/<uuid:action>/cancel", bulk.cancel, name="cancel_bulk_action"),
    path(
        "administration/store/reconciliation/<uuid:report>",
        reconciliation.report,
        name="reconciliation_report",
    ),
    path(
        "administration/store/reconciliation/<uuid:report>/repair",
        reconciliation.repair,
        name="repair_store",
    ),
    path("problems/", problems.index, name="problems"),
    path("problems/<str:code>", problems.problem, name="problem"),
    path("login", sessions.log_in, name="login"),
    path("login/oidc", sessions.login_oidc, name="login_oidc"),
    path("login/oidc/callback", sessions.login_oidc_callback, name="login_oidc_callback"),
    path("logout", sessions.log_out, name="logout"),
    path("password", passwords.change, name="password"),
    # In place of those that come with the staff pages: guesses are counted at one door.
    path("admin/login/", sessions.log_in_as_staff, name="staff_login"),
    path("admin/password_change/", passwords.change_as_staff, name="staff_password"),
]
