"""What the address asks for behind its `?`: known names only, each once, each readable."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from rest_framework.request import Request

from artifacts.queries.positions import moment
from kernel.rest import MalformedRequest


def asked(request: Request, *known: str) -> dict[str, str]:
    """The parameters of the address.

    Raises:
        MalformedRequest: one is not known here (a misspelt filter must not pass silently), is
            given twice, or could not stand in any name.
    """
    given = request.query_params
    for name, values in given.lists():
        if name not in known:
            raise MalformedRequest(parameter=name[:100], expected=sorted(known))
        if len(values) != 1 or any("\x00" in value for value in values):
            raise MalformedRequest(parameter=name, expected="one readable value")
    return {name: str(given[name]) for name in given}


def time(parameters: Mapping[str, str], name: str) -> datetime | None:
    """A time, or None where it is not asked.

    Raises:
        MalformedRequest: it is no time with an offset.
    """
    found = parameters.get(name)
    if found is None:
        return None
    try:
        return moment(found)
    except ValueError as error:
        expected = "a time as 2026-01-31T09:30:00Z"
        raise MalformedRequest(parameter=name, expected=expected, found=found[:100]) from error


def identity(parameters: Mapping[str, str], name: str) -> UUID | None:
    """The id of something, or None where it is not asked.

    Raises:
        MalformedRequest: it is none.
    """
    found = parameters.get(name)
    if found is None:
        return None
    try:
        return UUID(found)
    except ValueError as error:
        raise MalformedRequest(parameter=name, expected="an id", found=found[:100]) from error
