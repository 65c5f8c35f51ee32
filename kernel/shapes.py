"""What an answer looks like, written as types: the JSON Schema and an example come from them.

A shape is a TypedDict, a serializer, a plain type, `{name: shape}`, `[shape]`, or `(one, other)`
for either. `Annotated` with `Says` adds JSON Schema's own keywords (2020-12); `examples` is one.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from inspect import getdoc
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

Schema = dict[str, Any]
Named = Callable[[Any], Schema]

STORE: Final = "https://store.example.com"
ID_EXAMPLE: Final = "0197d2a4-58c1-7f3e-9c55-3f2b7f0c9d11"
DIGEST_EXAMPLE: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class Says:
    """JSON Schema's keywords about a value, for `Annotated`."""

    def __init__(self, **keywords: Any) -> None:  # noqa: ANN401 - JSON
        self.keywords: Schema = keywords


Id = Annotated[str, Says(format="uuid", examples=[ID_EXAMPLE])]
Time = Annotated[
    str,
    Says(format="date-time", description="RFC 3339, in UTC.", examples=["2026-11-21T08:00:00Z"]),
]
Url = Annotated[str, Says(format="uri", examples=[f"{STORE}/api/v1/limits"])]
UrlTemplate = Annotated[
    str, Says(description="A URI template (RFC 6570).", examples=[f"{STORE}/api/v1/{{path}}"])
]
Digest = Annotated[
    str,
    Says(
        pattern="^[0-9a-f]{64}$", description="SHA-256, in hexadecimal.", examples=[DIGEST_EXAMPLE]
    ),
]
SizeBytes = Annotated[int, Says(minimum=0, description="In bytes.", examples=[20])]
Count = Annotated[int, Says(minimum=0, examples=[1])]
Slug = Annotated[str, Says(examples=["acme"])]
ProjectName = Annotated[str, Says(description="`organization/project`.", examples=["acme/widget"])]
FilePath = Annotated[str, Says(examples=["dist/widget-1.4.0.tar.gz"])]

_PLAIN: Final[Mapping[Any, Schema]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    Any: {},
    object: {},
}
_EXAMPLES: Final[Mapping[str, Any]] = {
    "string": "…",
    "integer": 1,
    "number": 0.5,
    "boolean": True,
    "null": None,
}


def schema_of(shape: Any, named: Named) -> Schema:  # noqa: ANN401 - any type is a shape
    """The JSON Schema of a shape; what has a name is given to `named`, which answers with a $ref.

    Raises:
        TypeError: it is no shape.
    """
    match shape:
        case None:
            return {"type": "null"}
        case dict():
            return object_schema({name: (of, True) for name, of in shape.items()}, named)
        case [of]:
            return {"type": "array", "items": schema_of(of, named)}
        case tuple():
            return {"anyOf": [schema_of(one, named) for one in shape]}
    if shape in _PLAIN:
        return dict(_PLAIN[shape])
    if get_origin(shape) is not None:
        return _generic(get_origin(shape), get_args(shape), shape, named)
    if not isinstance(shape, type):
        raise TypeError(shape)
    if issubclass(shape, Enum):
        return {"type": "string", "enum": [one.value for one in shape]}
    return named(shape)


def _generic(origin: Any, arguments: tuple[Any, ...], shape: Any, named: Named) -> Schema:  # noqa: ANN401 - as above
    if origin is Annotated:
        says: Says = shape.__metadata__[0]
        return {**schema_of(arguments[0], named), **says.keywords}
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin in (Union, UnionType):
        return {"anyOf": [schema_of(one, named) for one in arguments]}
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0], named)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": schema_of(arguments[1], named)}
    raise TypeError(shape)


def members_schema(shape: Any, named: Named) -> Schema:  # noqa: ANN401 - a TypedDict
    """The schema of a TypedDict itself, for the place where its name leads to."""
    members = {}
    for name, of in get_type_hints(shape, include_extras=True).items():
        is_optional = get_origin(of) is NotRequired
        members[name] = (get_args(of)[0] if is_optional else of, not is_optional)
    return {"description": getdoc(shape) or "", **object_schema(members, named)}


def object_schema(members: Mapping[str, tuple[Any, bool]], named: Named) -> Schema:
    """An object with these members: the shape of each, and whether it is always there."""
    return {
        "type": "object",
        "properties": {name: schema_of(of, named) for name, (of, _always) in members.items()},
        "required": [name for name, (_of, always) in members.items() if always],
    }


def is_shape(shape: Any) -> bool:  # noqa: ANN401 - anything
    """Whether this has members of its own that `members_schema` reads."""
    return is_typeddict(shape)


def example_of(schema: Schema, resolve: Callable[[str], Schema]) -> Any:  # noqa: ANN401 - JSON
    """An example that a schema made here describes, made of the examples of its parts."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(resolve(schema["$ref"]), resolve)
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], resolve)
    if "properties" in schema:
        return {name: example_of(of, resolve) for name, of in schema["properties"].items()}
    match schema.get("type"):
        case "array":
            return [example_of(schema["items"], resolve)]
        case "object":
            return {}
        case [first, *_]:
            return _EXAMPLES[first]
        case kind:
            return _EXAMPLES.get(str(kind), {})
