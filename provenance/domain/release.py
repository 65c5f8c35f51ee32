"""Release attestations: this store published these bytes, and no build is claimed.

Source: in-toto attestation specification, predicates/release, version 0.2.
"""

from typing import Any, Final
from uuid import UUID

PREDICATE_TYPE: Final = "https://in-toto.io/attestation/release/v0.2"


def release(*, project: UUID, build: UUID) -> dict[str, Any]:
    """The release predicate. Ids, not slugs: a renamed project keeps its evidence.

    The purl names the release uniquely (type generic, the project as package, the build as
    version); `packageId` is the project's stable id.
    """
    return {"purl": f"pkg:generic/{project}@{build}", "packageId": str(project)}
