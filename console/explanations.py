"""What each problem code means and what to do about it: docs/problems, as pages."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from kernel.errors import Refusal, all_refusals

PROBLEMS: Final = Path(__file__).resolve().parent.parent / "docs" / "problems"
_TITLE: Final = re.compile(r"\A# .*\n+")


def codes() -> dict[str, type[Refusal]]:
    """Every refusal of this process by its code."""
    return {refusal.code: refusal for refusal in all_refusals()}


@cache
def explanation(code: str) -> SafeString:
    """The page of a known code without its title. Raw HTML in it stays text."""
    text = _TITLE.sub("", (PROBLEMS / f"{code}.md").read_text())
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    rendered: str = renderer.render(text)
    return mark_safe(rendered)  # noqa: S308 - our own files, raw HTML switched off
