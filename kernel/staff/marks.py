"""django-unfold's decorators, with types: what a column is called, and where a question stands."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from unfold.decorators import action, display
from unfold.enums import ActionVariant

_Method = TypeVar("_Method", bound=Callable[..., object])


def column(
    description: str, *, label: Mapping[str, str] | None = None, boolean: bool | None = None
) -> Callable[[_Method], _Method]:
    """A computed value of a row; `label` gives each value a colour."""
    mark: Callable[[_Method], _Method] = display(
        description=description, label=label, boolean=boolean
    )
    return mark


def handle(
    description: str, url_path: str, *, is_grave: bool = False
) -> Callable[[_Method], _Method]:
    """A button on a page, and the last part of the address of the question behind it."""
    variant = ActionVariant.DANGER if is_grave else ActionVariant.PRIMARY
    mark: Callable[[_Method], _Method] = action(
        description=description, url_path=url_path, variant=variant
    )
    return mark
