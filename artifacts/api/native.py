"""What all native views share: JSON whatever is asked for, and small JSON bodies only."""

from collections.abc import Iterable, Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

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


class SmallJSONParser(JSONParser):
    """Reads JSON of a bounded size: nothing that these addresses take is large."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - DRF's shape
        # Without Content-Length Django reads nothing, so this is the whole truth.
        announced = (parser_context or {})["request"].META.get("CONTENT_LENGTH") or "0"
        if not announced.isdigit() or int(announced) > MAX_JSON_BYTES:
            raise ParseError(f"a JSON body has at most {MAX_JSON_BYTES} bytes")
        return super().parse(stream, media_type, dict(parser_context or {}))


class NativeView(APIView):
    """A view of the native API. Use cases decide who may do what."""

    content_negotiation_class = OneAnswer
    parser_classes = (SmallJSONParser,)
