"""What native views share: JSON whatever is asked for, and small JSON bodies only."""

from collections.abc import Iterable, Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from kernel.rest import RequestTooLarge

MAX_JSON_BYTES: Final = 64 * 1024


class OneAnswer(BaseContentNegotiation):
    """Ignores Accept: each address has one form, and a picky client is better off with it."""

    def select_parser(self, _request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self,
        _request: Request,
        renderers: Iterable[BaseRenderer],
        _format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class SmallJSONParser(BaseParser):
    """DRF reads a JSON body whole, however large: this one looks at its length first.

    Django reads no more than Content-Length says, and nothing where it says nothing. Not a
    subclass of DRF's parser: for those, DRF has read all of the body before it calls them.
    """

    media_type = "application/json"
    limit_bytes = MAX_JSON_BYTES

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Read the body as JSON.

        Raises:
            RequestTooLarge: the body is longer than anything that is asked for here.
        """
        length = str((parser_context or {})["request"].META.get("CONTENT_LENGTH"))
        if length.isdecimal() and int(length) > self.limit_bytes:
            raise RequestTooLarge(limit_bytes=self.limit_bytes, observed_bytes=int(length))
        try:
            return JSONParser().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("too deeply nested") from None


class NativeView(APIView):
    """A view of the native API. Use cases decide who may do what."""

    content_negotiation_class = OneAnswer
    parser_classes = (SmallJSONParser,)
