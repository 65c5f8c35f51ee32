"""The counters and histograms of /metrics, in one place; names follow Prometheus' conventions."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

UPLOADS: Final = Counter(
    "strongroom_uploads_total",
    "Upload requests by outcome (stored, repeated, or a code).",
    ["outcome"],
)
UPLOAD_BYTES: Final = Counter(
    "strongroom_upload_bytes_total", "Bytes of artifacts that were received and kept."
)
DOWNLOAD_BYTES: Final = Counter(
    "strongroom_download_bytes_total", "Bytes of artifacts that were sent."
)
BLOBS_COLLECTED: Final = Counter(
    "strongroom_blobs_collected_total",
    "Stored bytes that the collector dealt with (unreferenced, orphan, removed, left, stays).",
    ["outcome"],
)
FREED_BYTES: Final = Counter(
    "strongroom_freed_bytes_total",
    "Bytes that were removed and that the store, asked again, did not have any more.",
)
BLOB_DAMAGE: Final = Counter(
    "strongroom_blob_damage_total",
    "Blobs that were found damaged, and those that were mended.",
    ["outcome"],
)
QUOTA_REFUSALS: Final = Counter(
    "strongroom_quota_refusals_total", "Uploads refused for a quota, by what is full.", ["unit"]
)
SCRUBBED_BYTES: Final = Counter(
    "strongroom_scrubbed_bytes_total", "Bytes that were read and measured again."
)
SIGNING_SECONDS: Final = Histogram(
    "strongroom_signing_seconds",
    "Seconds from the request for an attestation to its recording, by signer.",
    ["signer"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600),
)
SIGNING_FAILURES: Final = Counter(
    "strongroom_signing_failures_total", "Attempts to sign that failed, by reason.", ["reason"]
)
SERVICE_LEFT_ALONE: Final = Gauge(
    "strongroom_signing_service_left_alone",
    "1 where a service of the signer has failed and a worker leaves it alone, else 0.",
    ["service"],
    multiprocess_mode="mostrecent",
)
VERIFICATIONS: Final = Counter(
    "strongroom_verifications_total",
    "Decisions at download by verdict (allow, deny, observed) and first reason.",
    ["verdict", "reason"],
)
CONFIRMATIONS: Final = Counter(
    "strongroom_confirmations_total",
    "Answers of platforms about jobs, by what came of them.",
    ["outcome"],
)
