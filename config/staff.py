"""The staff pages' first page: what waits and why, whether the store is well, what happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone

from artifacts.queries import refused_builds
from artifacts.queries.uploads import estimated_storage, uploads_waiting
from config.health import outcomes
from kernel.audit.queries import Wanted, oldest_unsealed_age, records
from kernel.outbox.queries import events_waiting, oldest_event_age
from kernel.staff import shown
from provenance.queries import decisions_denied, oldest_pending_age, waiting_by_reason

RECENT: Final = 8
# Minutes after which somebody should look.
LATE: Final = 10


@dataclass(frozen=True, slots=True)
class Tile:
    """One number, in what mood it is said, and the list that it links to."""

    name: str
    value: str
    told: str
    url: str
    mood: str = "calm"


@dataclass(frozen=True, slots=True)
class Rows:
    """A short list, and where the long one is."""

    title: str
    url: str
    heads: tuple[str, ...]
    rows: list[tuple[object, ...]]
    nothing: str

    @property
    def cells(self) -> list[list[tuple[str, object]]]:
        """Each row with the head of each cell, for where there is no room for columns."""
        return [list(zip(self.heads, row, strict=True)) for row in self.rows]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What django-unfold's index page shows; each number links to its list."""
    now = timezone.now()
    permitted = request.user.is_superuser
    tiles = [*_work(now), *_health()] if permitted else []
    lists = [_waiting(), _refused(), _denied(), _audit()] if permitted else []
    return {**context, "title": "What is going on", "tiles": tiles, "lists": lists}


def _work(now: datetime) -> Iterator[Tile]:
    age = oldest_pending_age(now=now)
    yield Tile(
        "Oldest build without its statement",
        shown.span(age),
        "waits for its attestation",
        shown.rows_url("provenance_attestationrequest"),
        "bad" if age.total_seconds() > LATE * 60 else "calm",
    )
    age = oldest_event_age(now=now)
    yield Tile(
        "Outbox",
        events_waiting(),
        f"events; the oldest waits {shown.span(age)}",
        shown.rows_url("outbox_outboxevent"),
        "bad" if age.total_seconds() > LATE * 60 else "calm",
    )
    yield Tile(
        "Direct uploads",
        uploads_waiting(),
        "are being sent or measured",
        shown.rows_url("artifacts_upload"),
    )
    stored = estimated_storage()
    yield Tile(
        "Storage",
        f"about {shown.size(stored.size_bytes)}",
        f"in about {stored.blobs:,} blobs, by a sample of {stored.sampled:,}",
        shown.rows_url("artifacts_blob"),
    )
    yield Tile(
        "Audit trail",
        shown.span(oldest_unsealed_age(now=now)),
        "since the oldest record without a seal",
        shown.rows_url("audit_auditseal"),
    )


def _health() -> Iterator[Tile]:
    """The checks of /readyz, in the same words."""
    pages = {"store": "artifacts_storeprobe", "sweep": "outbox_heartbeat"}
    for name, outcome in outcomes().items():
        page = pages.get(name)
        yield Tile(
            name.capitalize(),
            "works" if outcome["ok"] else "does not work",
            str(outcome["detail"]),
            shown.rows_url(page) if page is not None else "/readyz",
            "calm" if outcome["ok"] else "bad",
        )


def _waiting() -> Rows:
    return Rows(
        "What waits for its statement, and why",
        shown.rows_url("provenance_attestationrequest"),
        ("reason", "requests", "most attempts", "next attempt"),
        [
            (
                one.reason or "its first attempt",
                f"{one.requests:,}",
                one.most_attempts,
                shown.moment(one.next_attempt_at),
            )
            for one in waiting_by_reason()
        ],
        "Nothing waits.",
    )


def _refused() -> Rows:
    return Rows(
        "Builds that were refused last",
        shown.rows_url("artifacts_build", show="refused"),
        ("build", "project", "opened", "why"),
        [
            (
                shown.row("artifacts_build", one.pk),
                one.project,
                shown.moment(one.opened_at),
                shown.reason(one.refused),
            )
            for one in refused_builds(limit=RECENT)
        ],
        "None was refused.",
    )


def _denied() -> Rows:
    return Rows(
        "Artifacts that verification turned down last",
        shown.rows_url("provenance_storeddecision", show="denied"),
        ("decision", "reason", "decided"),
        [
            (
                shown.row("provenance_storeddecision", one.pk, f"{one.sha256[:16]}…"),
                one.reason,
                shown.moment(one.decided_at),
            )
            for one in decisions_denied(limit=RECENT)
        ],
        "Nothing was turned down.",
    )


def _audit() -> Rows:
    return Rows(
        "What was done last",
        shown.rows_url("audit_auditrecord"),
        ("at", "actor", "action", "target"),
        [
            (
                shown.row("audit_auditrecord", one.pk, shown.moment(one.at)),
                one.actor,
                one.action,
                one.target,
            )
            for one in records(Wanted())[:RECENT]
        ],
        "Nothing was done yet.",
    )
