"""Where lines of pages may end: a filter that every template has (`builtins` in the settings)."""

import re
from typing import Final

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()

_BEHIND_A_PART: Final = re.compile(r"(?<=[/._@])(?=[^/._@])")


@register.filter
def breakable(text: str) -> SafeString:
    """A path or an address whose lines end behind its parts rather than within a word."""
    parts = _BEHIND_A_PART.split(text)
    return format_html_join(SafeString("<wbr>"), "{}", ((part,) for part in parts))
