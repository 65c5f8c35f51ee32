"""An act on many artifacts, beside the single act on each …"""

from typing import TYPE_CHECKING, Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artifacts.domain.bulk import (
    Act,
)
from artifacts.domain.lifecycle import BuildState
from artifacts.models import (
    Artifact,
    Project,
    Quarantine,
    TrashedArtifact,
    Yank,
)
from artifacts.usecases.apply_retention import WEEK
from artifacts.usecases.create_project import create_project
from artifacts.usecases.quarantine_artifact import quarantine_artifact, release_artifact
from artifacts.usecases.remove_artifact import remove_artifact
from artifacts.usecases.restore_artifact import Restoring, restore_trashed, unyank_artifact
from artifacts.usecases.yank_artifact import yank_artifact
from kernel.errors import Refusal
from tests.factories.actors import administrator, owner
from tests.factories.builds import NOW
from tests.factories.bulk import TODAY, WHY, do, rules
from tests.factories.shelf import Kind, put

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS: Final = st.builds(
    Kind,
    path=st.sampled_from(["dist/a", "dist/b", "doc/a", "v/1"]),
    outcome=st.sampled_from([BuildState.PUBLISHED, BuildState.REFUSED, BuildState.SEALED]),
    is_yanked=st.booleans(),
    held_to=st.sampled_from([None, None, 10, 30]),
    used_to=st.sampled_from([None, None, 10, 30]),
    stored=st.integers(0, 19),
    asked_life_days=st.sampled_from([None, 3]),
)
RULES: Final = st.sampled_from(
    [
        {},
        {"keep": [{"name": "docs", "when": {"paths": ["doc/*"]}}]},
        {"keep": [{"name": "young", "for_days": 10}, {"name": "few", "newest": 1}]},
        {"immutable": [{"name": "versions", "when": {"paths": ["v/*"]}}]},
        {
            "keep": [{"name": "docs", "for_days": 15, "when": {"paths": ["doc/*"]}}],
            "expire": [{"name": "old", "after_days": 2, "is_final": True}],
            "immutable": [{"name": "main", "when": {"refs": ["refs/heads/*"]}}],
        },
    ]
)
ACTS: Final = st.lists(st.sampled_from(list(Act)), min_size=1, max_size=4)


def single(project: Project, act: Act) -> None:
    """Do it to each, one by one; what is refused stays as it is."""
    said: dict[str, Any] = {"reason": WHY, "actor": owner(project), "now": TODAY}
    marking: dict[Act, Callable[..., object]] = {
        Act.YANK: yank_artifact,
        Act.UNYANK: unyank_artifact,
        Act.QUARANTINE: quarantine_artifact,
        Act.RELEASE: release_artifact,
    }
    model = TrashedArtifact if act is Act.RESTORE else Artifact
    for row in model.objects.filter(project=project).select_related(
        "build", "blob", "project__organization"
    ):
        try:
            if isinstance(row, TrashedArtifact):
                restoring = Restoring(WHY, WEEK)
                restore_trashed(trashed=row, restoring=restoring, actor=owner(project), now=TODAY)
            elif act is Act.REMOVE:
                remove_artifact(artifact=row, trash=WEEK, **said)
            else:
                marking[act](artifact=row, **said)
        except Refusal:
            continue


def shown(project: Project) -> list[tuple[object, ...]]:
    """Everything that there is, as anybody could compare it; by when it was stored."""
    told = []
    for model in (Artifact, TrashedArtifact):
        for row in model.objects.filter(project=project):
            marks = [
                mark.objects.filter(pk=row.pk).values_list("reason", "marked_by").first()
                for mark in (Yank, Quarantine)
            ]
            removed = (row.reason, row.removed_by) if isinstance(row, TrashedArtifact) else None
            told.append((row.build.origin, row.path, model.__name__, *marks, removed))
    return sorted(told, key=str)


def test_is_the_same_as_the_single_act_on_each(project: Project) -> None:
    twin = create_project(
        actor=administrator(), organization="acme", slug="twin", is_public=False, now=NOW
    )

    @settings(
        max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    @given(st.lists(KINDS, max_size=5), RULES, ACTS)
    def same(kinds: list[Kind], document: object, acts: list[Act]) -> None:
        forget(project, twin)
        rules(document)
        for number, kind in enumerate(kinds):
            for one in (project, twin):
                row = put(one, kind, first=NOW)
                row.build.origin = str(number)  # which one it is, in both
                row.build.save()

        for act in acts:
            single(project, act)
            do(twin, act)

        assert shown(twin) == shown(project)

    same()


def forget(*projects: Project) -> None:
    """What an example before left; holds and uses are by artifact, and stay."""
    for model in (Artifact, TrashedArtifact):
        model.objects.filter(project__in=projects).delete()
