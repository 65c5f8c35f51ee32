"""What runs a job's steps: as much of GitHub's and GitLab's runners as deploy/ci needs.

Inputs are filled in where the platforms fill them in, scripts run under the shells that they use.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.factories.command import ROOT, SECONDS

_EXPRESSION: Final = re.compile(r"\$\{\{ ([a-z]+(?:\.[a-z_]+)+) \}\}")
_INPUT: Final = re.compile(r"\$\[\[ inputs\.([a-z]+) \]\]")


@dataclass(frozen=True, slots=True)
class Finished:
    """How a job's script ended, its log, and the outputs that it gave."""

    code: int
    log: str
    outputs: Mapping[str, str]


def install_command(folder: Path) -> Path:
    """A `strongroom` for PATH, as an image that has it would."""
    folder.mkdir(exist_ok=True)
    program = folder / "strongroom"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m client "$@"\n')
    program.chmod(0o755)
    return folder


def run_action(
    action: Path, *, inputs: Mapping[str, str], workspace: Path, environ: Mapping[str, str]
) -> Finished:
    """Run a composite action's steps. An unknown input is a mistake here, not a warning."""
    document = yaml.safe_load((action / "action.yml").read_text())
    declared = document["inputs"]
    assert set(inputs) <= set(declared)
    required = {name for name, one in declared.items() if one.get("required")}
    assert required <= set(inputs)
    given = {name: one.get("default", "") for name, one in declared.items()} | dict(inputs)
    temporary = workspace.parent / "runner"
    temporary.mkdir(exist_ok=True)
    steps: dict[str, str] = {}
    log = ""
    for step in document["runs"]["steps"]:
        assert step["shell"] == "bash"
        assert not _EXPRESSION.search(step["run"]), "an input in a script is a script"
        output = temporary / "output"
        output.write_text("")
        finished = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=workspace,
            env={
                **environ,
                **{name: _filled(value, given) for name, value in step["env"].items()},
                "GITHUB_ACTION_PATH": str(action),
                "GITHUB_OUTPUT": str(output),
                "RUNNER_TEMP": str(temporary),
            },
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        log += finished.stdout + finished.stderr
        if finished.returncode != 0:
            return Finished(finished.returncode, log, {})
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            steps[f"steps.{step['id']}.outputs.{name}"] = value
    outputs = {
        name: _EXPRESSION.sub(lambda found: steps.get(found[1], ""), one["value"])
        for name, one in document["outputs"].items()
    }
    return Finished(0, log, outputs)


@dataclass(frozen=True, slots=True)
class GitlabJob:
    """A job of a component, with its inputs filled in."""

    name: str
    document: Mapping[str, Any]

    @property
    def audience(self) -> str:
        """For whom the runner has the identity token made."""
        audience: str = self.document["id_tokens"]["STRONGROOM_ID_TOKEN"]["aud"]
        return audience

    def run(self, *, workspace: Path, environ: Mapping[str, str]) -> Finished:
        """Run its script as the runner does in an image without bash."""
        finished = subprocess.run(
            ["sh", "-e", "-c", "\n".join(self.document["script"])],
            cwd=workspace,
            env={**environ, **self.document["variables"]},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Finished(finished.returncode, finished.stdout + finished.stderr, {})


def gitlab_job(component: Path, inputs: Mapping[str, str]) -> GitlabJob:
    """The component's one job."""
    head, body = yaml.safe_load_all(component.read_text())
    declared = head["spec"]["inputs"]
    assert set(inputs) <= set(declared)
    required = {name for name, one in declared.items() if "default" not in one}
    assert required <= set(inputs)
    given = {name: one.get("default", "") for name, one in declared.items()} | dict(inputs)
    [(name, document)] = _interpolated(body, given).items()
    return GitlabJob(name, document)


def runner_environ(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What a runner gives every step, with the command on PATH."""
    path = f"{install_command(folder / 'bin')}:{Path(sys.executable).parent}:/usr/bin:/bin"
    return {"PATH": path, "HOME": str(folder / "home"), "PYTHONUTF8": "1", **environ}


def _filled(value: str, given: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: given[found[1].removeprefix("inputs.")], value)


def _interpolated(node: Any, given: Mapping[str, str]) -> Any:
    """Inputs stand in whole values: filled in after the file was read, they cannot change it."""
    if isinstance(node, dict):
        return {_interpolated(key, given): _interpolated(one, given) for key, one in node.items()}
    if isinstance(node, list):
        return [_interpolated(one, given) for one in node]
    return _INPUT.sub(lambda found: given[found[1]], node) if isinstance(node, str) else node
