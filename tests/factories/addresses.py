"""Every address of the store, from the URL table, and the things that addresses name."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Things:
    """What the addresses name: once things that exist and are private, once things that do not."""

    organization: str
    project: str
    build: uuid.UUID
    artifact: uuid.UUID
    attestation: uuid.UUID
    token: uuid.UUID
    publisher: uuid.UUID
    invitation: uuid.UUID
    member: str
    path: str
    upload: uuid.UUID
    plan: uuid.UUID
    hold: uuid.UUID
    preview: uuid.UUID
    action: uuid.UUID

    def fill(self, route: str) -> str | None:
        """The address with these things in it; None when the route names something unknown."""
        for placeholder, thing in {
            "<str:organization>": self.organization,
            "<str:project>": self.project,
            "<uuid:build>": self.build,
            "<uuid:artifact>": self.artifact,
            "<uuid:identity>": self.attestation,
            "<uuid:token_id>": self.token,
            "<uuid:publisher_id>": self.publisher,
            "<uuid:invitation>": self.invitation,
            "<str:member>": self.member,
            "<uuid:upload>": self.upload,
            "<uuid:plan>": self.plan,
            "<uuid:hold>": self.hold,
            "<uuid:preview>": self.preview,
            "<uuid:action>": self.action,
            "<artifact_path:path>": self.path,
        }.items():
            route = route.replace(placeholder, str(thing))
        return None if "<" in route else f"/{route}"


ABSENT: Final = Things(
    organization="nobody",
    project="nothing",
    build=uuid.UUID(int=1),
    artifact=uuid.UUID(int=2),
    attestation=uuid.UUID(int=3),
    token=uuid.UUID(int=4),
    publisher=uuid.UUID(int=5),
    invitation=uuid.UUID(int=6),
    member="nobody",
    path="dist/a.tar.gz",
    upload=uuid.UUID(int=7),
    plan=uuid.UUID(int=8),
    hold=uuid.UUID(int=9),
    preview=uuid.UUID(int=10),
    action=uuid.UUID(int=11),
)


def patterns(
    resolver: URLResolver | None = None, prefix: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Each address with its pattern; without Django's own admin, which has a login of its own."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if not route.startswith("admin/"):
                yield from patterns(entry, route)
        elif isinstance(entry, URLPattern):
            yield route, entry


def routes() -> Iterator[str]:
    """Each address."""
    return (route for route, _pattern in patterns())


def written(route: str) -> str:
    """The address as the API reference writes it: `/api/v1/builds/{build}`."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)


def methods(pattern: URLPattern) -> list[str]:
    """What a view of the API answers, apart from HEAD and OPTIONS, which tell no more."""
    view = getattr(pattern.callback, "view_class", None)
    names = ("get", "post", "put", "patch", "delete")
    return [name.upper() for name in names if hasattr(view, name)]
