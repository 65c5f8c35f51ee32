"""Say where projects' statements may be recorded, to the worker that is about to sign them."""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from artifacts.models import Project
from kernel.connections import joins_transaction
from provenance.domain.transparency import DEFAULT, Transparency, permitted

# FOR SHARE: whoever changes a project takes FOR UPDATE, so it either sees the claim that this
# belongs to, or we see the change. Workers do not keep each other waiting. Django's ORM cannot say
# FOR SHARE.
_STAY: Final = "SELECT * FROM project WHERE id = ANY(%s) ORDER BY id FOR SHARE"


def permit_transparency(*, projects: Collection[UUID]) -> Mapping[UUID, Transparency]:
    """What each project's owner chose, as far as its visibility allows now. Joins.

    It stays so until the transaction ends. Of a project that is not there nothing becomes public.
    """
    joins_transaction("permit_transparency")
    allowed = dict.fromkeys(projects, DEFAULT)
    for row in Project.objects.raw(_STAY, [list(projects)]):
        allowed[row.pk] = permitted(Transparency(row.transparency), is_public=row.is_public)
    return allowed
