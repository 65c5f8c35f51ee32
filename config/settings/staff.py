"""How the staff pages look, and what stands in their menu; `UNFOLD` is django-unfold's setting."""

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

# Group, and under each its pages: title, icon (Material Symbols, local), app and model.
_MENU: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "What waits": (
        ("Signing queue", "pending_actions", "provenance_attestationrequest"),
        ("Direct uploads", "upload", "artifacts_upload"),
        ("Outbox", "outbox", "outbox_outboxevent"),
        ("Heartbeats", "schedule", "outbox_heartbeat"),
    ),
    "What is kept": (
        ("Organizations", "domain", "artifacts_organization"),
        ("Projects", "folder", "artifacts_project"),
        ("Builds", "construction", "artifacts_build"),
        ("Artifacts", "draft", "artifacts_artifact"),
        ("Blobs", "database", "artifacts_blob"),
        ("Bucket probes", "network_check", "artifacts_storeprobe"),
    ),
    "Evidence": (
        ("Attestations", "verified", "provenance_attestation"),
        ("Decisions", "gavel", "provenance_storeddecision"),
        ("Policies", "policy", "provenance_storedpolicy"),
        ("Trust roots", "key", "provenance_storedtrustroot"),
        ("Trust maps", "map", "provenance_storedtrustmap"),
    ),
    "Who may": (
        ("Issuers", "badge", "access_issuer"),
        ("Trusted publishers", "handshake", "access_trustedpublisher"),
        ("Tokens", "vpn_key", "access_token"),
        ("People", "group", "access_user"),
        ("Memberships", "diversity_3", "access_membership"),
        ("Invitations", "mail", "access_invitation"),
        ("Allowed refs", "alt_route", "artifacts_allowedref"),
    ),
    "What was done": (
        ("Audit trail", "history", "audit_auditrecord"),
        ("Audit seals", "lock", "audit_auditseal"),
        ("Download log", "download", "artifacts_download"),
        ("Contributions", "fingerprint", "artifacts_contribution"),
    ),
}


def _own_style(_request: HttpRequest) -> str:
    return static("strongroom/staff.css")


def _icon(_request: HttpRequest) -> str:
    return static("strongroom/icon.svg")


def _menu() -> list[dict[str, Any]]:
    overview = {"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")}
    groups = [
        {
            "title": group,
            "items": [
                {
                    "title": title,
                    "icon": icon,
                    "link": reverse_lazy(f"admin:{model}_changelist"),
                }
                for title, icon, model in pages
            ],
        }
        for group, pages in _MENU.items()
    ]
    return [{"items": [overview]}, *groups]


UNFOLD: Final = {
    "SITE_TITLE": "Strongroom staff",
    "SITE_HEADER": "Strongroom",
    "SITE_SUBHEADER": "staff pages",
    "SITE_SYMBOL": "shield_lock",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "config.staff.dashboard",
    "STYLES": [_own_style],
    "SITE_FAVICONS": [{"rel": "icon", "href": _icon, "type": "image/svg+xml"}],
    "BORDER_RADIUS": "6px",
    # Blue as on the store's other pages, dark enough to be read on grey (WCAG 2.2, 1.4.3).
    "COLORS": {
        "base": {"400": "oklch(75% .02 261.325)", "500": "oklch(48% .027 264.364)"},
        "primary": {
            "50": "oklch(97% .014 250)",
            "100": "oklch(93.5% .03 250)",
            "200": "oklch(88% .06 250)",
            "300": "oklch(81% .1 250)",
            "400": "oklch(76% .12 250)",
            "500": "oklch(74% .12 250)",
            "600": "oklch(46% .14 250)",
            "700": "oklch(41% .13 250)",
            "800": "oklch(36% .11 250)",
            "900": "oklch(31% .09 250)",
            "950": "oklch(23% .07 250)",
        },
    },
    "SIDEBAR": {"show_search": False, "navigation": _menu()},
}
