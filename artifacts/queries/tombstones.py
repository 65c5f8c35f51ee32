"""Tombstones: what is left of artifacts that are gone, and the statements about them."""

from typing import TYPE_CHECKING
from uuid import UUID

from artifacts.errors import TombstoneNotFound
from artifacts.models import Tombstone
from artifacts.queries.seeing import of_projects_seen_by
from kernel.actor import Actor
from kernel.digest import Sha256
from provenance.queries import attestations_of

if TYPE_CHECKING:
    from provenance.models import Attestation


def visible_tombstone(*, actor: Actor, artifact: UUID) -> Tombstone:
    """The artifact's tombstone, with its project and the attestation of its removal.

    Raises:
        TombstoneNotFound: there is none, or it does not exist for this actor.
    """
    found = Tombstone.objects.select_related("project__organization", "attestation")
    one = found.filter(of_projects_seen_by(actor), pk=artifact).first()
    if one is None:
        raise TombstoneNotFound
    return one


def evidence_kept(tombstone: Tombstone) -> "list[Attestation]":
    """Every attestation about the bytes in their build, the oldest first; then the removal's."""
    of_build = attestations_of(
        scope=tombstone.project.scope,
        build=tombstone.build_id,
        digest=Sha256(tombstone.sha256),
    )
    return [*of_build, tombstone.attestation]
