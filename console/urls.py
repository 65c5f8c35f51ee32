"""The addresses of the pages. Things are named by id alone, as in the API: names can change."""

from django.urls import path

from console.views import archives, artifacts, builds, home, passwords, problems, projects, sessions

urlpatterns = [
    path("", home.home, name="home"),
    path("about", home.about, name="about"),
    path("projects/<str:organization>", projects.of_organization, name="organization"),
    path("projects/<str:organization>/<str:project>", projects.project, name="project"),
    path("projects/<str:organization>/<str:project>/files", projects.files, name="files"),
    path("builds/<uuid:build>", builds.build, name="build"),
    path("artifacts/<uuid:artifact>", artifacts.artifact, name="artifact"),
    path("artifacts/<uuid:artifact>/members", archives.members, name="members"),
    path(
        "artifacts/<uuid:artifact>/attestations/<uuid:identity>",
        artifacts.attestation_of,
        name="attestation",
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
