"""The event table names tasks that exist, and every event that code can emit has an entry."""

from inspect import Parameter, signature

from artifacts import events as artifact_events
from config.celery import app
from config.events import ROUTES, SWEEP_SECONDS
from kernel.outbox import events as kernel_events
from provenance import events as provenance_events


def test_routes_every_event_to_tasks_that_workers_know() -> None:
    app.loader.import_default_modules()

    assert {task for tasks in ROUTES.values() for task in tasks} <= set(app.tasks)


def test_starts_only_tasks_that_take_nothing_from_a_message() -> None:
    app.loader.import_default_modules()
    started = {task for tasks in ROUTES.values() for task in tasks}

    for task in started:
        taken = signature(app.tasks[task].run).parameters.values()
        assert [one.kind for one in taken] == [Parameter.VAR_KEYWORD], task


def test_has_an_entry_for_every_event() -> None:
    emitted = {
        event.name
        for module in (kernel_events, artifact_events, provenance_events)
        for event in vars(module).values()
        if isinstance(event, type) and hasattr(event, "name")
    }

    assert emitted == set(ROUTES)


def test_lets_the_beat_ask_for_the_sweep_and_for_nothing_else() -> None:
    schedule = app.conf.beat_schedule

    assert [entry["task"] for entry in schedule.values()] == ["kernel.sweep"]
    assert schedule["sweep"]["schedule"] == SWEEP_SECONDS
    assert "kernel.sweep" in app.tasks


def test_keeps_celery_from_deciding_when_work_is_done() -> None:
    assert app.conf.task_acks_late is False
    assert app.conf.task_ignore_result is True
    assert not [name for name, task in app.tasks.items() if getattr(task, "autoretry_for", ())]
