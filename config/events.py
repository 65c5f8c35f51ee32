"""The whole asynchronous flow on one screen: which event starts which tasks.

The relay reads this table and nothing else talks to the broker. Every task may run twice,
and the sweep finds what a lost message should have started.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from artifacts.events import (
    BuildPublished,
    BulkActionStarted,
    HoldsChanged,
    RetentionRunStarted,
    StoreRepairAsked,
    UploadCompleted,
)
from kernel.outbox.events import SweepDue
from provenance.events import AttestationRequested, RemovalRequested

ROUTES: Final[Mapping[str, Sequence[str]]] = {
    AttestationRequested.name: ["artifacts.attest_builds", "artifacts.attest_confirmed_jobs"],
    RemovalRequested.name: ["artifacts.attest_removals"],
    BuildPublished.name: [],
    UploadCompleted.name: ["artifacts.measure_uploads"],
    RetentionRunStarted.name: ["artifacts.apply_retention"],
    BulkActionStarted.name: ["artifacts.run_bulk_actions"],
    StoreRepairAsked.name: ["artifacts.repair_store"],
    HoldsChanged.name: ["artifacts.map_holds"],
    SweepDue.name: [
        "artifacts.attest_builds",
        "artifacts.attest_confirmed_jobs",
        "provenance.refresh_trust_root",
        "artifacts.collect_litter",
        "artifacts.collect_blobs",
        "artifacts.measure_uploads",
        "artifacts.apply_retention",
        "artifacts.run_bulk_actions",
        "artifacts.empty_trash",
        "artifacts.attest_removals",
        "artifacts.schedule_retention",
        "artifacts.probe_store",
        "artifacts.map_holds",
        "artifacts.reconcile_store",
        "artifacts.repair_store",
        "artifacts.scrub_blobs",
        "artifacts.recount_use",
        "artifacts.measure_storage",
        "artifacts.forget_lists",
        "access.collect_token_ids",
        "access.collect_login_attempts",
        "config.publish_checkpoint",
    ],
}

SWEEP_SECONDS: Final = 15
