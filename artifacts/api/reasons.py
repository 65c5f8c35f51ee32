"""Bodies with a reason, and bodies that are read member by member."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from kernel.rest import MalformedRequest


class ReasonIn(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=500, allow_blank=True)


def validated(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """What the body says, as this shape.

    Raises:
        MalformedRequest: it has another member: a misspelt one must not look as if it was heeded.
    """
    asked = shape(data=request.data)
    asked.is_valid(raise_exception=True)
    unknown = sorted(set(request.data) - set(asked.fields))
    if unknown:
        raise MalformedRequest(unknown=unknown[:10], expected=sorted(asked.fields))
    return dict(asked.validated_data)
