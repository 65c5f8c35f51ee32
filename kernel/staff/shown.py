"""How staff pages show values: documents, sizes, ages, links to other rows."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

NOTHING: Final = "-"
_BEGUN: Final = 12
# Colours of unfold's labels, by what a state means for whoever looks.
GOOD: Final = "success"
WAITING: Final = "warning"
BAD: Final = "danger"
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def size(size_bytes: int) -> str:
    """A size for people."""
    return filesizeformat(size_bytes)


def moment(at: datetime | None) -> SafeString | str:
    """A time in UTC, to the second; a line may end between day and time, and nowhere else."""
    if at is None:
        return NOTHING
    whole = '<span><span class="sr-whole">{}</span> <span class="sr-whole">{} UTC</span></span>'
    return format_html(whole, f"{at:%Y-%m-%d}", f"{at:%H:%M:%S}")


def begun(whole: object) -> SafeString:
    """The first characters of an id or a digest, on one line; the whole of it when pointed at."""
    return format_html('<span class="sr-whole" title="{}">{}</span>', whole, str(whole)[:_BEGUN])


def span(age: timedelta) -> str:
    """A length of time in its largest unit and the next: `2 h 5 min`."""
    left = max(int(age.total_seconds()), 0)
    words: list[str] = []
    for unit, seconds in _UNITS:
        if left >= seconds or (unit == "s" and not words):
            words.append(f"{left // seconds} {unit}")
            left %= seconds
    return " ".join(words[:2])


def document(value: object) -> SafeString | str:
    """JSON for people, or nothing."""
    if value in (None, "", {}, []):
        return NOTHING
    return text(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def text(lines: str) -> SafeString:
    """Lines as they are, in a box of their own."""
    return render_to_string("staff/document.html", {"text": lines})


def reason(value: Mapping[str, object] | None) -> SafeString | str:
    """Why something was refused or waits: its problem page, and the facts in a line."""
    if not value:
        return NOTHING
    code = str(value.get("code", ""))
    facts = ", ".join(f"{name}: {fact}" for name, fact in value.items() if name != "code")
    # One element: what stands beside its label on a narrow screen is laid out by element.
    return format_html(
        '<span><a class="sr-link" href="/problems/{}">{}</a> {}</span>', code, code, facts[:300]
    )


def row(model: str, key: UUID | str | int | None, named: str = "") -> SafeString | str:
    """A link to a row's page; `model` is its app and name, as in `artifacts_build`."""
    if key is None:
        return NOTHING
    return format_html(
        '<a class="sr-link" href="{}">{}</a>', row_url(model, key), named or str(key)
    )


def row_url(model: str, key: UUID | str | int) -> str:
    """The address of a row's page."""
    return reverse(f"admin:{model}_change", args=[key])


def rows(model: str, named: str, **equal: object) -> SafeString:
    """A link to the list of rows where these fields are equal to that."""
    return format_html('<a class="sr-link" href="{}">{}</a>', rows_url(model, **equal), named)


def rows_url(model: str, **equal: object) -> str:
    """The address of a list."""
    query = "&".join(f"{name}={value}" for name, value in equal.items())
    return reverse(f"admin:{model}_changelist") + (f"?{query}" if query else "")


def several(*links: SafeString) -> SafeString:
    """Links in a row."""
    return format_html_join(" · ", "{}", ((link,) for link in links))


def as_uuid(term: str) -> UUID | None:
    """The id that somebody typed, if it is one."""
    try:
        return UUID(term)
    except ValueError:
        return None
