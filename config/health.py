"""/healthz, /readyz and /metrics: for machines that watch machines."""

import hmac
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from kombu import Connection
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client import REGISTRY as PROCESS_REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from artifacts import wiring as artifacts_wiring
from artifacts.queries.reconciling import damaged_blobs, last_reconciliation, stuck_blobs
from artifacts.queries.trash import removals_without_evidence
from artifacts.queries.uploads import missing_for_direct_uploads
from config import broker
from config.events import SWEEP_SECONDS
from kernel.actor import Unauthenticated
from kernel.audit.queries import oldest_unsealed_age, unsigned_age
from kernel.errors import Refusal
from kernel.outbox.queries import heartbeat_age, oldest_event_age
from kernel.rest import problem_response
from provenance.queries import oldest_pending_age, oldest_removal_age

logger = logging.getLogger(__name__)

BROKER_SECONDS: Final = 2
STALE_SWEEPS: Final = 4

# Without these the store cannot serve; the others delay attestations, and uploads and downloads
# go on: taking the web server out of rotation for them would fail uploads for a broker's sake.
ESSENTIAL: Final = frozenset({"database", "store"})


class NotReady(Exception):
    """A part does not work; the text says what was seen."""


@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """Whether this process answers at all."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Each part by name. 503 when the store cannot serve; `degraded` when only work waits."""
    checks = outcomes()
    failed = {name for name, outcome in checks.items() if not outcome["ok"]}
    status = "unavailable" if failed & ESSENTIAL else "degraded" if failed else "ready"
    return JsonResponse(
        {"status": status, "checks": checks}, status=503 if status == "unavailable" else 200
    )


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format, summed over this host's processes; with a token where one is set."""
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    if token is not None and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return problem_response(Unauthenticated(permission="metrics"), request)
    registry = CollectorRegistry()
    registry.register(_Waiting())
    if settings.METRICS_DIRECTORY is not None:
        collector: Any = MultiProcessCollector  # the library has no types here
        collector(registry, path=str(settings.METRICS_DIRECTORY))
    body = generate_latest(registry)
    if settings.METRICS_DIRECTORY is None:
        body = generate_latest(PROCESS_REGISTRY) + body
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)


class _Waiting(Collector):
    """Ages that are read from the rows at each scrape, and kept by no process."""

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        for name, text, age in (
            ("outbox", "Age of the oldest waiting event.", oldest_event_age(now=now)),
            (
                "audit_unsealed",
                "Age of the oldest audit record that waits for its seal.",
                oldest_unsealed_age(now=now),
            ),
            (
                "audit_unsigned",
                "Age of the newest signed checkpoint of the audit trail.",
                unsigned_age(now=now),
            ),
            (
                "attestation",
                "Age of the oldest build that waits for its attestation.",
                oldest_pending_age(now=now),
            ),
            (
                "removal",
                "Age of the oldest removal that waits for its attestation.",
                oldest_removal_age(now=now),
            ),
        ):
            value = age.total_seconds()
            yield GaugeMetricFamily(f"strongroom_{name}_age_seconds", text, value=value)
        yield _differences()
        yield GaugeMetricFamily(
            "strongroom_removals_without_evidence",
            "Artifacts that stay in the trash because no attestation of them is kept.",
            value=removals_without_evidence(now=now),
        )
        yield GaugeMetricFamily(
            "strongroom_blobs_damaged",
            "Blobs whose bytes are known to be others, and that nobody gets.",
            value=damaged_blobs(),
        )
        yield GaugeMetricFamily(
            "strongroom_blobs_stuck",
            "Blobs that the store was told to remove, and has still.",
            value=stuck_blobs(),
        )


def _differences() -> Metric:
    """Nothing where rows and bytes were never compared."""
    family = GaugeMetricFamily(
        "strongroom_store_differences",
        "Differences between rows and bytes in the last report.",
        labels=["difference"],
    )
    report = last_reconciliation(place=artifacts_wiring.probed_place())
    for difference, counted in report.counts.items() if report is not None else ():
        family.add_metric([difference], counted["count"])
    return family


def outcomes() -> dict[str, dict[str, Any]]:
    """What each check found: whether it is `ok`, and what was seen."""
    return {name: _run(name, check) for name, check in CHECKS.items()}


def _run(name: str, check: Callable[[], str]) -> dict[str, Any]:
    started = time.monotonic()
    try:
        outcome: dict[str, Any] = {"ok": True, "detail": check()}
    except (NotReady, Refusal, DatabaseError, OSError) as error:
        logger.warning("a part is not ready", extra={"part": name, "error": str(error)})
        outcome = {"ok": False, "detail": f"{type(error).__name__}: {error}"[:300]}
    return {**outcome, "seconds": round(time.monotonic() - started, 3)}


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "answers"


def _store() -> str:
    artifacts_wiring.blob_store().check()
    if artifacts_wiring.probe() is None:
        return "takes and gives bytes"
    missing = missing_for_direct_uploads(place=artifacts_wiring.probed_place())
    if missing is None:
        return "takes and gives bytes; no direct uploads: not probed (manage.py probe_bucket)"
    if missing:
        return f"takes and gives bytes; no direct uploads: {', '.join(missing)}"
    return "takes and gives bytes, also directly"


def _broker() -> str:
    url = settings.BROKER_URL
    connection = Connection(
        url,
        connect_timeout=BROKER_SECONDS,
        ssl=broker.tls(url, ca_file=settings.BROKER_CA_FILE),
        transport_options=broker.transport_options(url, seconds=BROKER_SECONDS),
    )
    try:
        with connection:
            connection.ensure_connection(max_retries=0, timeout=BROKER_SECONDS)
    except broker.failures(connection) as error:
        raise NotReady(f"{type(error).__name__}: {error}") from error
    return "answers"


def _sweep() -> str:
    age = heartbeat_age("sweep", now=timezone.now())
    if age is None:
        raise NotReady("no sweep has run yet; it needs beat, broker, relay and a worker")
    seconds = round(age.total_seconds(), 1)
    if seconds > SWEEP_SECONDS * STALE_SWEEPS:
        raise NotReady(f"the last sweep ran {seconds} s ago; one is due every {SWEEP_SECONDS} s")
    return f"ran {seconds} s ago"


CHECKS: Final[dict[str, Callable[[], str]]] = {
    "database": _database,
    "store": _store,
    "broker": _broker,
    "sweep": _sweep,
}
