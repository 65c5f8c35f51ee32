"""What is held, and what is declared to be in use."""

from hashlib import sha256
from typing import Any, Final

from django.utils import timezone

from artifacts.domain.bulk import Act
from artifacts.domain.holds import Reach
from artifacts.domain.patterns import Pattern
from artifacts.models import BulkAction, Hold, Project
from artifacts.usecases.ask_bulk_action import ask_bulk_action
from artifacts.usecases.place_hold import Holding, place_hold
from tests.factories.actors import administrator
from tests.factories.archives import tarred

PATH: Final = "dist/a.tar.gz"
PUBLISHED: Final = tarred({PATH: b"bytes"}, "tar.gz")
RECORD: Final = {"name": "widget", "digest": f"sha256:{sha256(PUBLISHED).hexdigest()}"}
RECORDS: Final = {
    "storage": {"registry_url": "https://registry.example"},
    "deployment": {
        "status": "deployed",
        "logical_environment": "production",
        "deployment_name": "widget",
    },
    "release": {"version": "1"},
}


def held(place: Project) -> Hold:
    """A hold on nothing that is there, so that other answers are as without it."""
    holding = Holding(Reach(paths=Pattern("held/*")), "case")
    return place_hold(project=place, holding=holding, actor=administrator(), now=timezone.now())


def asked_of_none(place: Project) -> BulkAction:
    """An act on nothing that is there, as above."""
    return ask_bulk_action(
        project=place,
        act=Act.YANK,
        selection={"paths": ["none/*"]},
        actor=administrator(),
        now=timezone.now(),
    )


def keeping_bodies(project: str) -> dict[tuple[str, str], Any]:
    """What the addresses of holds, marks and uses take; `project` is the route of a project."""
    why = {"reason": "case 7"}
    acts = ("yank", "quarantine", "release", "remove", "restore")
    return {
        (f"{project}/holds", "POST"): {"paths": "dist/*", **why},
        (f"{project}/bulk-actions", "POST"): {"act": "yank", "selection": {"paths": ["none/*"]}},
        ("api/v1/bulk-actions/<uuid:action>/start", "POST"): {
            "project": "acme/widget",
            "artifacts": 0,
            **why,
        },
        ("api/v1/holds/<uuid:hold>/lift", "POST"): why,
        **{(f"api/v1/artifacts/<uuid:artifact>/{act}", "POST"): why for act in acts},
        **{(f"api/v1/builds/<uuid:build>/{act}", "POST"): why for act in ("yank", "restore")},
        **{
            (f"{project}/metadata/{kind}-record", "POST"): {**RECORD, **more}
            for kind, more in RECORDS.items()
        },
    }
