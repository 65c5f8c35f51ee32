"""Celery's ways in. Every task may run twice, and at once."""

from functools import partial

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from artifacts import wiring
from artifacts.usecases.apply_retention import apply_retention
from artifacts.usecases.bury_removed import bury_removed
from artifacts.usecases.collect_blobs import collect_blobs_when_due
from artifacts.usecases.collect_litter import collect_litter
from artifacts.usecases.empty_trash import empty_trash
from artifacts.usecases.forget_lists import forget_lists_when_due
from artifacts.usecases.map_holds import map_holds_when_due
from artifacts.usecases.measure_storage import measure_storage_when_due
from artifacts.usecases.measure_uploads import Bytes, measure_upload
from artifacts.usecases.mend_blob import mend_damaged_when_due
from artifacts.usecases.probe_store import probe_store_when_due
from artifacts.usecases.reconcile_store import reconcile_store_when_due
from artifacts.usecases.recount_use import recount_use_when_due
from artifacts.usecases.repair_when_asked import repair_when_asked
from artifacts.usecases.run_bulk_actions import run_bulk_actions
from artifacts.usecases.schedule_retention import schedule_retention_when_due
from artifacts.usecases.scrub_blobs import scrub_blobs
from provenance import wiring as provenance_wiring
from provenance.usecases import attest_confirmed_jobs as confirmed
from provenance.usecases.attest_builds import attest_builds
from provenance.usecases.attest_removals import attest_removals


@shared_task(name="artifacts.attest_builds", ignore_result=True)
def attest_builds_task(**_later: object) -> None:
    """Attest sealed builds."""
    attest_builds(
        attestor=provenance_wiring.attestor(), endings=wiring.endings(), clock=timezone.now
    )


@shared_task(name="artifacts.attest_confirmed_jobs", ignore_result=True)
def attest_confirmed_jobs_task(**_later: object) -> None:
    """Ask platforms about sealed builds' jobs and attest them, while full batches are waiting."""
    todo = partial(confirmed.attest_confirmed_jobs, attestor=provenance_wiring.attestor())
    while todo(endings=wiring.endings(), clock=timezone.now) >= confirmed.BATCH:
        pass


@shared_task(name="artifacts.collect_litter", ignore_result=True)
def collect_litter_task(**_later: object) -> None:
    """Remove what crashes and broken-off uploads left."""
    collect_litter(
        staging=wiring.staging_area(), direct=wiring.direct_uploads(), now=timezone.now()
    )


@shared_task(name="artifacts.collect_blobs", ignore_result=True)
def collect_blobs_task(**_later: object) -> None:
    """Remove bytes that nobody has referred to for a day."""
    collect_blobs_when_due(inventory=wiring.inventory(), now=timezone.now())


@shared_task(name="artifacts.apply_retention", ignore_result=True)
def apply_retention_task(**_later: object) -> None:
    """Go on with the retention run that is under way."""
    apply_retention(clock=timezone.now, trash=wiring.trash_window())


@shared_task(name="artifacts.run_bulk_actions", ignore_result=True)
def run_bulk_actions_task(**_later: object) -> None:
    """Go on with the acts on many artifacts that are under way."""
    run_bulk_actions(clock=timezone.now, trash=wiring.trash_window())


@shared_task(name="artifacts.empty_trash", ignore_result=True)
def empty_trash_task(**_later: object) -> None:
    """Ask for the removal of what can be restored no longer."""
    empty_trash(base_url=settings.PUBLIC_URL, now=timezone.now())


@shared_task(name="artifacts.attest_removals", ignore_result=True)
def attest_removals_task(**_later: object) -> None:
    """Attest what was removed, and bury it."""
    attest_removals(
        attestor=provenance_wiring.attestor(),
        endings=wiring.endings(),
        bury=bury_removed,
        clock=timezone.now,
    )


@shared_task(name="artifacts.schedule_retention", ignore_result=True)
def schedule_retention_task(**_later: object) -> None:
    """Plan what has expired, and let it go where that is not too much."""
    if every := wiring.retention_schedule():
        limits = wiring.run_limits()
        schedule_retention_when_due(every=every, limits=limits, now=timezone.now())


@shared_task(name="artifacts.measure_uploads", ignore_result=True)
def measure_uploads_task(**_later: object) -> None:
    """Measure completed uploads, one after the other while some are due."""
    place = Bytes(wiring.blob_store(), wiring.inventory())
    while measure_upload(place=place, clock=timezone.now):
        pass


@shared_task(name="artifacts.probe_store", ignore_result=True)
def probe_store_task(**_later: object) -> None:
    """Try the bucket once a day."""
    probe_store_when_due(place=wiring.probed_place(), probe=wiring.probe(), now=timezone.now())


@shared_task(name="artifacts.map_holds", ignore_result=True)
def map_holds_task(**_later: object) -> None:
    """Let the bucket hold what legal holds cover, and release the rest."""
    map_holds_when_due(
        bucket=wiring.object_holds(), place=wiring.probed_place(), clock=timezone.now
    )


@shared_task(name="artifacts.reconcile_store", ignore_result=True)
def reconcile_store_task(**_later: object) -> None:
    """Compare the store with the rows once a day."""
    reconcile_store_when_due(kept=wiring.kept(), clock=timezone.now)


@shared_task(name="artifacts.repair_store", ignore_result=True)
def repair_store_task(**_later: object) -> None:
    """Repair what somebody has seen in a report and asked for."""
    repair_when_asked(kept=wiring.kept(), copies=wiring.copies(), clock=timezone.now)


@shared_task(name="artifacts.scrub_blobs", ignore_result=True)
def scrub_blobs_task(**_later: object) -> None:
    """Measure the next stored bytes again, and try to mend what is damaged."""
    mend_damaged_when_due(copies=wiring.copies(), now=timezone.now())
    if rate := wiring.scrub_rate():
        scrub_blobs(copies=wiring.copies(), bytes_per_second=rate, clock=timezone.now)


@shared_task(name="artifacts.recount_use", ignore_result=True)
def recount_use_task(**_later: object) -> None:
    """Set right what quotas are counted by."""
    recount_use_when_due(now=timezone.now())


@shared_task(name="artifacts.measure_storage", ignore_result=True)
def measure_storage_task(**_later: object) -> None:
    """Measure what everybody has, for the pages."""
    measure_storage_when_due(now=timezone.now())


@shared_task(name="artifacts.forget_lists", ignore_result=True)
def forget_lists_task(**_later: object) -> None:
    """Forget what was planned, previewed or asked of many, and never used."""
    forget_lists_when_due(now=timezone.now())
