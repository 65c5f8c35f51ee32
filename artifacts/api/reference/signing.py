"""What waits to be signed, and where it is recorded, as the API reference describes it."""

from typing import Final

from artifacts.api.reference.builds import READ_BUILD
from artifacts.api.reference.projects import NEED_A_RIGHT, OF_PROJECT, READ_PROJECT
from artifacts.api.signing_shapes import (
    BuildTransparencyDocument,
    SigningQueueDocument,
    TransparencyDocument,
)
from artifacts.api.transparency import TransparencyIn
from artifacts.errors import (
    PrivateProjectInPublicLog,
    PublicSigningUnderWay,
    TransparencyNotOffered,
)
from kernel.pages import PAGE_ROWS
from kernel.reference import BODY, Answer, Asker, Body, Operation, Operations, Reader
from provenance.domain.build_facts import MalformedFacts
from provenance.domain.slsa_v1 import UnattestableEvent
from provenance.errors import SignerRefused, SignerUnavailable

_TRANSPARENCY: Final = "/api/v1/projects/{organization}/{project}/transparency"

OPERATIONS: Final[Operations] = {
    "GET /api/v1/signing-queue": Operation(
        id="show_signing_queue",
        reader=Reader.ADMINISTRATOR,
        summary="What waits to be signed, why, and until when",
        text="The instance's administrators see it.",
        answers=(
            Answer(
                200,
                "All of it, summed up by its reason, and the "
                f"{PAGE_ROWS} statements that have waited longest.",
                SigningQueueDocument,
            ),
        ),
        refusals=NEED_A_RIGHT,
    ),
    f"GET {_TRANSPARENCY}": Operation(
        id="show_transparency",
        reader=Reader.ADMINISTRATOR,
        summary="Where a project's statements are recorded",
        asker=Asker.READER,
        answers=(Answer(200, "What was chosen, and what can be.", TransparencyDocument),),
        refusals=READ_PROJECT,
    ),
    f"PUT {_TRANSPARENCY}": Operation(
        id="choose_transparency",
        reader=Reader.ADMINISTRATOR,
        summary="Choose where statements are recorded from now on",
        text="Owners do. A public log forgets nothing, and takes nothing of a private project.",
        body=Body(TransparencyIn, {"transparency": "private-log"}),
        answers=(Answer(200, "What holds now.", TransparencyDocument),),
        refusals=(
            *BODY,
            *OF_PROJECT,
            PrivateProjectInPublicLog,
            PublicSigningUnderWay,
            TransparencyNotOffered,
        ),
    ),
    "GET /api/v1/builds/{build}/transparency": Operation(
        id="show_transparency_of_build",
        reader=Reader.CONSUMER,
        summary="What a public log would have of a build, before anything is sent",
        text="Whatever the project's choice is.",
        asker=Asker.READER,
        answers=(Answer(200, "What would be public.", BuildTransparencyDocument),),
        refusals=(
            *READ_BUILD,
            MalformedFacts,
            SignerRefused,
            SignerUnavailable,
            UnattestableEvent,
        ),
    ),
}
