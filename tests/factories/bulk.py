"""Acts on many artifacts, asked, started and done as their owners would."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from artifacts.domain.bulk import Act
from artifacts.models import BulkAction, BulkRun, Project
from artifacts.queries.retention import Holder
from artifacts.usecases.ask_bulk_action import ask_bulk_action
from artifacts.usecases.run_bulk_actions import run_bulk_actions
from artifacts.usecases.set_retention import RetentionChange, set_retention
from artifacts.usecases.start_bulk_action import Confirmation, start_bulk_action
from tests.factories.actors import administrator, owner
from tests.factories.builds import NOW

TODAY: Final = NOW + timedelta(days=20)
WHY: Final = "a secret is in them"


def rules(document: object) -> None:
    set_retention(
        holder=Holder.instance(),
        change=RetentionChange(document),
        actor=administrator(),
        now=TODAY,
    )


def ask(project: Project, act: Act, selection: Mapping[str, Any] | None = None) -> BulkAction:
    return ask_bulk_action(
        project=project, act=act, selection=selection or {}, actor=owner(project), now=TODAY
    )


def start(action: BulkAction, **others: Any) -> BulkRun:
    said = {"project": str(action.project), "artifacts": action.artifacts, "reason": WHY}
    confirmed = Confirmation(**{**said, **others})
    return start_bulk_action(
        action=action, confirmed=confirmed, actor=owner(action.project), now=TODAY
    )


def do(project: Project, act: Act, selection: Mapping[str, Any] | None = None) -> BulkRun:
    run = start(ask(project, act, selection))
    run_bulk_actions(clock=lambda: TODAY)
    run.refresh_from_db()
    return run
