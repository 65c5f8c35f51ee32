"""Small JSON bodies: everything that access reads fits in a few KiB."""

from collections.abc import Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from access.errors import RequestTooLarge

LARGEST_BODY: Final = 64 * 1024


class SmallJSONParser(JSONParser):
    """DRF reads a JSON body whole, however large: this one looks at its length first.

    Django reads no more than Content-Length says, and nothing where it says nothing.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """See JSONParser.

        Raises:
            RequestTooLarge: the body is longer than anything that is asked for here.
        """
        length = str((parser_context or {})["request"].META.get("CONTENT_LENGTH"))
        if length.isdecimal() and int(length) > LARGEST_BODY:
            raise RequestTooLarge(limit_bytes=LARGEST_BODY, observed_bytes=int(length))
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("too deeply nested") from None
