"""Finding an artifact, and what to expect of it, as the API reference describes them."""

from typing import Annotated, Final

from artifacts.api.consumers import MOST_FOUND
from artifacts.api.finding import MAX_DIGESTS, MAX_FOUND_OF_DIGEST, DigestsParser
from artifacts.api.reference.projects import READ_PROJECT
from artifacts.api.shapes import ArtifactDocument, FoundDocument
from artifacts.errors import LatestNotFound
from kernel.digest import MalformedDigest
from kernel.reference import (
    BODY,
    CURSOR,
    PREFIX,
    SHA256,
    Answer,
    Asker,
    Body,
    Operation,
    Operations,
    Parameter,
    Reader,
)
from kernel.rest import MalformedRequest
from kernel.shapes import DIGEST_EXAMPLE, STORE, Count, Digest, Id, ProjectName, Says, Url
from provenance.domain.builders import Level
from provenance.domain.policy import Enforcement
from provenance.errors import PolicyNotMet, TrustRootMissing

_PROJECT: Final = "/api/v1/projects/{organization}/{project}"

OPERATIONS: Final[Operations] = {
    f"GET {_PROJECT}/expectations": Operation(
        id="show_expectations",
        reader=Reader.CONSUMER,
        summary="What to expect of the project's artifacts, to keep beforehand",
        text="The project's policy and the store's trust map as they are now. `strongroom verify` "
        "reads this document.",
        asker=Asker.READER,
        answers=(
            Answer(
                200,
                "The expectations.",
                {
                    "expectations": Annotated[int, Says(description="The version of this format.")],
                    "store": Url,
                    "project": {"id": Id, "name": ProjectName},
                    "policy": {
                        "version": Count,
                        "enforcement": Enforcement,
                        "accepts_release": bool,
                        "sources": [dict[str, str]],
                    },
                    "trust_map": {
                        "version": Count,
                        "key_is_shared": bool,
                        "levels": Annotated[
                            dict[str, Level],
                            Says(
                                examples=[
                                    {
                                        f"{STORE}/builders/github/hosted-unconfirmed/v1": (
                                            Level.L1.value
                                        )
                                    }
                                ]
                            ),
                        ],
                    },
                },
                headers=("Cache-Control",),
            ),
        ),
        refusals=READ_PROJECT,
    ),
    f"GET {_PROJECT}/artifacts": Operation(
        id="find_artifacts",
        reader=Reader.CONSUMER,
        summary="Published artifacts with these bytes, or of this path, newest first",
        text=f"By `sha256` or by `path`: exactly one of the two. At most {MOST_FOUND}; "
        "`is_complete` says whether that is all.",
        asker=Asker.READER,
        parameters=(SHA256, Parameter("path", str, "Of this path, whole.")),
        answers=(
            Answer(
                200,
                "What was found.",
                {"artifacts": [ArtifactDocument], "is_complete": bool},
            ),
        ),
        refusals=(*READ_PROJECT, MalformedRequest, MalformedDigest),
    ),
    f"GET {_PROJECT}/files": Operation(
        id="list_files",
        reader=Reader.CONSUMER,
        summary="The artifacts of a project by path, the newest of a path first",
        asker=Asker.READER,
        parameters=(CURSOR, PREFIX),
        answers=(
            Answer(
                200, "One page of at most 500.", {"artifacts": [FoundDocument]}, may_have=("Link",)
            ),
        ),
        refusals=(*READ_PROJECT, MalformedRequest),
    ),
    f"POST {_PROJECT}/digests": Operation(
        id="find_digests",
        reader=Reader.CONSUMER,
        summary="Which of many digests the project has",
        text=f"At most {MAX_DIGESTS} digests. It changes nothing, and tells nothing of other "
        "projects' bytes.",
        asker=Asker.READER,
        body=Body(
            {"sha256": [Digest]},
            {"sha256": [DIGEST_EXAMPLE]},
            limit_bytes=DigestsParser.limit_bytes,
        ),
        answers=(
            Answer(
                200,
                f"The newest {MAX_FOUND_OF_DIGEST} artifacts of each digest.",
                {
                    "found": dict[str, list[FoundDocument]],
                    "missing": [Digest],
                    "limit_of_digest": Count,
                },
            ),
        ),
        refusals=(*BODY, *READ_PROJECT, MalformedDigest),
    ),
    f"GET {_PROJECT}/latest/{{path}}": Operation(
        id="find_latest",
        reader=Reader.CONSUMER,
        summary="The newest artifact of a path and ref that the policy allows now",
        text="Leads to the artifact's own download: follow it, and it is decided there once more.",
        asker=Asker.READER,
        parameters=(
            Parameter("ref", str, "The branch or tag, whole: `refs/heads/main`.", is_required=True),
        ),
        answers=(
            Answer(
                302,
                "This one.",
                ArtifactDocument,
                headers=("Location", "Cache-Control"),
            ),
        ),
        refusals=(
            *READ_PROJECT,
            LatestNotFound,
            MalformedRequest,
            PolicyNotMet,
            TrustRootMissing,
        ),
    ),
}
