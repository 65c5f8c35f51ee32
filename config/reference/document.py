"""The OpenAPI 3.1 document: drf-spectacular finds the addresses, the apps' words describe them."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from drf_spectacular.drainage import warn
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.reference.operations import OPERATIONS, documented_refusals, refusals_of
from kernel.errors import Kind, Refusal
from kernel.problems import MEDIA_TYPE, STATUS
from kernel.reference import (
    HEADERS,
    OCTETS,
    PATH_PARAMETERS,
    Answer,
    Asker,
    Body,
    Operation,
    Parameter,
)
from kernel.shapes import (
    STORE,
    Schema,
    Url,
    example_of,
    is_shape,
    members_schema,
    object_schema,
    schema_of,
)

_TOKENS: Final = ("uploadToken", "personalToken", "serviceToken", "basic")
_SECURITY: Final[Mapping[Asker, list[Mapping[str, list[str]]]]] = {
    Asker.ANYBODY: [],
    Asker.READER: [{}, *({name: []} for name in (*_TOKENS, "session"))],
    Asker.HOLDER: [{name: []} for name in (*_TOKENS, "session")],
    Asker.PERSON: [{name: []} for name in ("personalToken", "basic", "session")],
}
_SECURITY_SCHEMES: Final[Mapping[str, Schema]] = {
    "uploadToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "`sru_…`, from `mint_token`: one CI job's, for one project and 15 minutes.",
    },
    "personalToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "`srp_…`, a person's: from `log_in` for 12 hours, or `create_my_token`.",
    },
    "serviceToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "`srt_…`, a service's, without a CI identity: from `create_token`.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "User `__token__` with any of the tokens as the password, for clients that "
        "know only user and password.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "A browser's session. To change things it also sends `X-CSRFToken`.",
    },
}
_PROBLEM: Final[Schema] = {
    "description": "Why not (RFC 9457). `code` is stable; other members are facts about this very "
    "case, such as `limit_bytes`, `observed_bytes`, `expected` and `found`.",
    **object_schema(
        {name: (of, True) for name, of in (("type", Url), ("title", str), ("status", int))}
        | {"code": (str, True), "instance": (str, True)},
        lambda shape: {"$ref": str(shape)},
    ),
    "additionalProperties": True,
}
_OF_PROBLEMS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.UNAUTHENTICATED: ("WWW-Authenticate",),
    Kind.UNAVAILABLE: ("Retry-After",),
    Kind.NO_SPACE: ("Retry-After",),
    Kind.TOO_MANY: ("Retry-After",),
}


class Described(AutoSchema):
    """Writes one operation from the words of its app, and warns where there are none."""

    def get_operation(
        self,
        path: str,
        path_regex: str,  # noqa: ARG002 - drf-spectacular's shape
        path_prefix: str,  # noqa: ARG002 - drf-spectacular's shape
        method: str,
        registry: ComponentRegistry,
    ) -> dict[str, Any] | None:
        """The operation object of OpenAPI; None where nobody describes it."""
        self.registry = registry
        endpoint = f"{method.upper()} {path}"
        operation = OPERATIONS.get(endpoint)
        if operation is None:
            warn(f"{endpoint} is in no app's api/reference")
            return None
        written: dict[str, Any] = {
            "operationId": operation.id,
            "summary": operation.summary,
            "tags": [operation.reader.value],
            "security": _SECURITY[operation.asker],
            "parameters": [
                *_path_parameters(path),
                *(self._parameter(one) for one in operation.parameters),
            ],
            "responses": self._responses(endpoint, operation),
        }
        if operation.text:
            written["description"] = operation.text
        if operation.body is not None:
            written["requestBody"] = self._body(operation.body)
        return written

    def _parameter(self, one: Parameter) -> dict[str, Any]:
        return {
            "name": one.name,
            "in": one.where,
            "required": one.is_required,
            "description": one.text,
            "schema": schema_of(one.shape, self._reference),
        }

    def _body(self, body: Body) -> dict[str, Any]:
        content: dict[str, Any] = {"schema": self._content(body.shape, body.media_type)}
        if body.media_type == OCTETS:
            text = "The bytes as they are. `show_limits` says how many."
        else:
            text = f"At most {body.limit_bytes} bytes."
            content["example"] = body.example
        return {"required": True, "description": text, "content": {body.media_type: content}}

    def _content(self, shape: Any, media_type: str) -> Schema:  # noqa: ANN401 - any type is a shape
        if media_type == OCTETS:
            return {}  # OpenAPI 3.1, "Considerations for File Uploads": bytes have no schema
        return schema_of(shape, self._reference)

    def _responses(self, endpoint: str, operation: Operation) -> dict[str, Any]:
        responses = {str(one.status): self._answer(one) for one in operation.answers}
        for status, refusals in _by_status(endpoint, operation).items():
            if str(status) in responses:  # an answer and a refusal: as two types of content
                responses[str(status)]["content"] |= _refused(refusals)["content"]
            else:
                responses[str(status)] = {"$ref": f"#/components/responses/{_name(refusals)}"}
        return dict(sorted(responses.items()))

    def _answer(self, answer: Answer) -> dict[str, Any]:
        written: dict[str, Any] = {
            "description": answer.text,
            "headers": {
                **{name: {"$ref": f"#/components/headers/{name}"} for name in answer.headers},
                **{name: {"$ref": f"#/components/headers/{name}.0"} for name in answer.may_have},
            },
        }
        if answer.shape is None:
            return written
        schema = self._content(answer.shape, answer.media_type)
        content = {"schema": schema}
        if answer.media_type != OCTETS:
            made = answer.example
            content["example"] = example_of(schema, self._resolve) if made is None else made
        others = {media_type: {"schema": {"type": "string"}} for media_type in answer.also}
        return {**written, "content": {answer.media_type: content, **others}}

    def _reference(self, shape: Any) -> Schema:  # noqa: ANN401 - any type is a shape
        """Put what has a name among the components once, and refer to it."""
        if not is_shape(shape):
            return dict(self.resolve_serializer(shape(), "response").ref)
        component = ResolvedComponent(  # type: ignore[no-untyped-call] # drf-spectacular is typed in part
            name=shape.__name__.removesuffix("Document"),
            type=ResolvedComponent.SCHEMA,
            schema={},
            object=shape,
        )
        if component not in self.registry:
            self.registry.register(component)
            component.schema = members_schema(shape, self._reference)
        return dict(component.ref)

    def _resolve(self, reference: str) -> Schema:
        name = reference.rpartition("/")[2]
        return dict(self.registry[name, ResolvedComponent.SCHEMA].schema)


class Endpoints(EndpointEnumerator):
    """Every address that an app describes, whether a class or a function answers there."""

    def should_include_endpoint(self, path: str, callback: Callable[..., Any]) -> bool:
        """DRF asks; by itself it sees classes of its own only."""
        described = f"GET {path}" in OPERATIONS
        return described or bool(super().should_include_endpoint(path, callback))

    def get_allowed_methods(self, callback: Callable[..., Any]) -> list[str]:
        """A function of ours answers GET, and HEAD as well."""
        if not hasattr(callback, "cls"):
            return ["GET"]
        allowed: list[str] = super().get_allowed_methods(callback)  # type: ignore[no-untyped-call] # drf-spectacular is typed in part
        return allowed


class Page(APIView):
    """Stands for a function, which has no description of its own either."""

    def get(self, request: Request) -> Response:
        raise NotImplementedError


class Reference(SchemaGenerator):
    """Collects the operations and adds what they share."""

    endpoint_inspector_cls = Endpoints

    def create_view(
        self, callback: Callable[..., Any], method: str, request: Request | None = None
    ) -> APIView:
        """The view whose schema is asked for."""
        described = callback if hasattr(callback, "cls") else Page.as_view()
        view: APIView = super().create_view(described, method, request)  # type: ignore[no-untyped-call] # drf-spectacular is typed in part
        return view

    def get_schema(self, request: Request | None = None, public: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - DRF's shape
        """The whole document."""
        document: dict[str, Any] = super().get_schema(request, public)  # type: ignore[no-untyped-call] # drf-spectacular is typed in part
        components = document["components"]
        components["schemas"] = dict(sorted({**components["schemas"], "Problem": _PROBLEM}.items()))
        components["responses"] = _shared_responses()
        components["headers"] = _shared_headers()
        components["examples"] = {one.code: _example(one) for one in documented_refusals()}
        components["securitySchemes"] = _SECURITY_SCHEMES
        return document


@cache
def openapi_json() -> bytes:
    """The document as JSON, the same bytes in every process of this version."""
    generator = Reference()  # type: ignore[no-untyped-call] # drf-spectacular is typed in part
    document = generator.get_schema(request=None, public=True)
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _path_parameters(path: str) -> list[dict[str, Any]]:
    """The parameters in the address, in its order."""
    names = [part.partition("}")[0] for part in path.split("{")[1:]]
    told = [(name, PATH_PARAMETERS[name]) for name in names]
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": one.text,
            "schema": schema_of(one.shape, _nothing),
            "example": one.example,
        }
        for name, one in told
    ]


def _shared_headers() -> dict[str, Any]:
    """Each header once as one that is always there, and as `….0` once as one that may be."""
    return {
        f"{name}{'' if is_always_there else '.0'}": {
            "description": told.text,
            "required": is_always_there,
            "schema": schema_of(told.shape, _nothing),
            "example": told.example,
        }
        for name, told in HEADERS.items()
        for is_always_there in (True, False)
    }


def _shared_responses() -> dict[str, Any]:
    """Every set of refusals that some operation has for one status, by its codes."""
    groups = [
        refusals
        for endpoint, operation in OPERATIONS.items()
        for refusals in _by_status(endpoint, operation).values()
    ]
    return dict(sorted((_name(refusals), _refused(refusals)) for refusals in groups))


def _by_status(endpoint: str, operation: Operation) -> dict[int, list[type[Refusal]]]:
    found: dict[int, list[type[Refusal]]] = {}
    for refusal in refusals_of(endpoint, operation):
        found.setdefault(STATUS[refusal.kind], []).append(refusal)
    return found


def _name(refusals: list[type[Refusal]]) -> str:
    return ".".join(one.code for one in refusals)


def _refused(refusals: list[type[Refusal]]) -> dict[str, Any]:
    """What all refusals of one status have in common, and each code with its sentence."""
    listed = "\n".join(f"- `{one.code}`: {one.title()}" for one in refusals)
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"code": {"enum": [one.code for one in refusals]}}},
        ]
    }
    examples = {one.code: {"$ref": f"#/components/examples/{one.code}"} for one in refusals}
    headers = _OF_PROBLEMS.get(refusals[0].kind, ())
    return {
        "description": listed,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }


def _example(refusal: type[Refusal]) -> dict[str, Any]:
    return {
        "summary": refusal.title(),
        "value": {
            "type": f"{STORE}/problems/{refusal.code}",
            "title": refusal.title(),
            "status": STATUS[refusal.kind],
            "code": refusal.code,
            "instance": "/api/v1/…",
        },
    }


def _nothing(shape: object) -> Schema:
    raise TypeError(shape)
