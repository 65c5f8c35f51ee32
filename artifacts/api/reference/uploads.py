"""Direct uploads, straight to the bucket, as the API reference describes them."""

from typing import Annotated, Final

from artifacts.api.direct import MAX_PARTS_BYTES, MOST_PARTS, UploadIn
from artifacts.api.reference.builds import OF_OWN_BUILD
from artifacts.api.reference.projects import NEED_A_RIGHT
from artifacts.api.shapes import SignedPartDocument, UploadDocument
from artifacts.domain.names import UnsafePath
from artifacts.errors import (
    BuildFull,
    BuildNotYours,
    BuildSealed,
    DirectUploadsUnavailable,
    PartUnknown,
    PathTaken,
    QuotaExceeded,
    StorageFull,
    StorageUnavailable,
    UploadEnded,
    UploadForgotten,
    UploadIncomplete,
    UploadInProgress,
    UploadNotFound,
    UploadTooLarge,
)
from kernel.digest import MalformedDigest
from kernel.reference import BODY, Answer, Body, Operation, Operations, Reader
from kernel.shapes import DIGEST_EXAMPLE, Digest, Says

_UPLOAD: Final = "/api/v1/uploads/{upload}"
_OF_UPLOAD: Final = (
    UploadNotFound,
    *NEED_A_RIGHT,
    BuildNotYours,
    DirectUploadsUnavailable,
    StorageUnavailable,
)

OPERATIONS: Final[Operations] = {
    "POST /api/v1/builds/{build}/uploads": Operation(
        id="start_upload",
        reader=Reader.JOB,
        summary="Start a direct upload, or find the pending one of the path",
        text="The bytes go straight to the bucket, in parts of `part_bytes` bytes. An empty file "
        "goes through the store.",
        body=Body(
            UploadIn,
            {"path": "dist/disk.img", "sha256": DIGEST_EXAMPLE, "size_bytes": 268435456},
        ),
        answers=tuple(
            Answer(status, text, UploadDocument, headers=("Location",))
            for status, text in ((201, "It has begun."), (200, "It was pending already."))
        ),
        refusals=(
            *BODY,
            *OF_OWN_BUILD,
            BuildFull,
            BuildSealed,
            DirectUploadsUnavailable,
            MalformedDigest,
            PathTaken,
            QuotaExceeded,
            StorageFull,
            StorageUnavailable,
            UnsafePath,
            UploadInProgress,
            UploadTooLarge,
        ),
    ),
    f"GET {_UPLOAD}": Operation(
        id="show_upload",
        reader=Reader.JOB,
        summary="How far a direct upload is",
        text="Which parts arrived, how many bytes were measured, and how it ended.",
        answers=(Answer(200, "The upload.", UploadDocument),),
        refusals=_OF_UPLOAD,
    ),
    f"DELETE {_UPLOAD}": Operation(
        id="abort_upload",
        reader=Reader.JOB,
        summary="Give a direct upload up",
        answers=(Answer(204, "It has ended."),),
        refusals=(*_OF_UPLOAD, UploadEnded),
    ),
    f"POST {_UPLOAD}/parts": Operation(
        id="sign_parts",
        reader=Reader.JOB,
        summary="Addresses for the parts of a direct upload",
        text=f"At most {MOST_PARTS} at once; again is harmless. The bucket takes no other bytes "
        "there than those of the named digest.",
        body=Body(
            {"parts": [{"number": Annotated[int, Says(minimum=1)], "sha256": Digest}]},
            {"parts": [{"number": 1, "sha256": DIGEST_EXAMPLE}]},
            limit_bytes=MAX_PARTS_BYTES,
        ),
        answers=(Answer(200, "Where each part goes.", {"parts": [SignedPartDocument]}),),
        refusals=(*BODY, *_OF_UPLOAD, PartUnknown, UploadEnded),
    ),
    f"POST {_UPLOAD}/complete": Operation(
        id="complete_upload",
        reader=Reader.JOB,
        summary="Complete a direct upload",
        text="Its bytes are frozen, and measured before they are the build's.",
        answers=(
            Answer(202, "It is being measured: look at it again.", UploadDocument),
            Answer(200, "It is in the build.", UploadDocument),
        ),
        refusals=(*_OF_UPLOAD, BuildSealed, UploadEnded, UploadForgotten, UploadIncomplete),
    ),
}
