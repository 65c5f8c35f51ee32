"""Which artifact is meant, and which file it becomes. Pure; a store's word chooses no folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote
from uuid import UUID

from artifacts.domain.names import is_path
from client.errors import AnswerNotUnderstood, WrongUsage
from client.origin import Origin

_API: Final = ("api", "v1")


@dataclass(frozen=True, slots=True)
class Meant:
    """An artifact by its id, or by its path and perhaps its build."""

    path: str = ""
    build: UUID | None = None
    artifact: UUID | None = None


def named_by_address(text: str, origin: Origin, project: str) -> Meant:
    """Read a path in the project, or one of the two addresses of an artifact.

    Raises:
        WrongUsage: the address is of another store or project, or of something else.
    """
    if "://" not in text:
        return Meant(path=text)
    if not origin.holds(text):
        raise WrongUsage(found=text, expected=f"an address below {origin.url}")
    quoted = text.removeprefix(origin.url).partition("?")[0].strip("/").split("/")
    parts = [unquote(part) for part in quoted]
    organization, _, name = project.partition("/")
    try:
        match parts:
            case [*api, "artifacts", artifact] if tuple(api) == _API:
                return Meant(artifact=UUID(artifact))
            case [*api, "artifacts", artifact, "download"] if tuple(api) == _API:
                return Meant(artifact=UUID(artifact))
            case ["api", "v1", "projects", found, other, "builds", build, "artifacts", *path]:
                if (found, other) == (organization, name):
                    return Meant(path="/".join(path), build=UUID(build))
            case _:
                pass
    except ValueError:
        pass
    raise WrongUsage(found=text, expected=f"the address of an artifact of {project}")


def target_of(path: str, output: str | None, *, is_folder: bool) -> Path:
    """The file that an artifact becomes: its last part here, or its whole path below a folder.

    Raises:
        AnswerNotUnderstood: the path is not one that a store gives, such as one with `..`.
    """
    if not is_path(path):
        raise AnswerNotUnderstood(path=path, expected="a path that an artifact may have")
    parts = path.split("/")
    if is_folder:
        return Path(output or ".").joinpath(*parts)
    if output is None:
        return Path(parts[-1])
    if output.endswith("/") or Path(output).is_dir():
        return Path(output) / parts[-1]
    return Path(output)
