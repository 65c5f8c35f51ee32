"""An S3 server in memory that can break any of its promises."""

import base64
import hashlib
import hmac
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from tests.factories.s3_server import SECRET_KEY

NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
WHEN = "2026-11-21T08:00:00.000Z"

# Each is the name of what a probe finds, and breaks that alone.
FAULTS = (
    "conditional-put",
    "put-checksum",
    "pinned-read",
    "conditional-complete",
    "part-checksum",
    "list-parts",
    "abort",
    "second-completion",
    "late-part",
    "part-in-flight",
)


@dataclass
class Shelf:
    """What the server holds, and which promise it breaks; `legal-hold`: it lets go what is held."""

    fault: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, tuple[str, dict[int, bytes]]] = field(default_factory=dict)
    completed: dict[str, tuple[str, dict[int, bytes]]] = field(default_factory=dict)
    counter: int = 0
    held: set[str] = field(default_factory=set)

    def revive(self, name: str) -> None:
        """Some servers take parts for an upload that was completed, and it lives again."""
        if name in self.completed:
            key, _parts = self.completed[name]
            self.uploads[name] = (key, {})


class Handler(BaseHTTPRequestHandler):
    """Just enough of S3 for a probe."""

    protocol_version = "HTTP/1.1"
    shelf: Shelf

    def log_message(self, *_arguments: object) -> None:
        """Silent."""

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.path).path.lstrip("/").partition("/")[2])

    @property
    def query(self) -> dict[str, str]:
        pairs = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        return {name: values[0] for name, values in pairs.items()}

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, body: bytes | str = b"", **headers: str) -> None:
        raw = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)

    def refuse(self, status: int, code: str) -> None:
        self.answer(status, f"<Error><Code>{code}</Code></Error>")

    def do_PUT(self) -> None:
        if "partNumber" in self.query:
            self.put_part()
            return
        body = self.body()
        if "legal-hold" in self.query:
            self.shelf.held.add(self.key)
            self.answer(200)
            return
        if not self.agrees(body, "put-checksum"):
            self.refuse(400, "XAmzContentChecksumMismatch")
        elif self.is_taken("conditional-put"):
            self.refuse(412, "PreconditionFailed")
        else:
            self.shelf.objects[self.key] = body
            self.answer(200, ETag=etag(body))

    def put_part(self) -> None:
        name = self.query["uploadId"]
        if self.shelf.fault == "part-in-flight" and name in self.shelf.uploads:
            body = self.body()  # whether the upload lives was looked at before the bytes came
            if name not in self.shelf.uploads:
                self.shelf.revive(name)
        else:
            body = self.body()
            if self.shelf.fault == "late-part" and name not in self.shelf.uploads:
                self.shelf.revive(name)
        upload = self.shelf.uploads.get(name)
        if upload is None:
            self.refuse(404, "NoSuchUpload")
        elif not self.agrees(body, "part-checksum"):
            self.refuse(400, "XAmzContentChecksumMismatch")
        else:
            upload[1][int(self.query["partNumber"])] = body
            self.answer(200, ETag=etag(body))

    def do_POST(self) -> None:
        asked = self.body()
        if "uploads" in self.query:
            self.shelf.counter += 1
            name = f"upload-{self.shelf.counter}"
            self.shelf.uploads[name] = (self.key, {})
            self.answer(
                200,
                f"<InitiateMultipartUploadResult {NAMESPACE}><UploadId>{name}</UploadId>"
                "</InitiateMultipartUploadResult>",
            )
            return
        self.complete(self.query["uploadId"], asked)

    def complete(self, name: str, asked: bytes) -> None:
        may_replace = {"late-part", "part-in-flight"} & {self.shelf.fault}
        upload = self.shelf.uploads.get(name)
        if (
            upload is None
            and self.shelf.fault == "second-completion"
            and name in self.shelf.completed
        ):
            self.shelf.objects[self.key] = b"made anew"
            self.answer(200, completed(etag(b"made anew")))
        elif upload is None:
            self.refuse(404, "NoSuchUpload")
        elif self.is_taken("conditional-complete") and not (
            may_replace and name in self.shelf.completed
        ):
            self.refuse(412, "PreconditionFailed")
        else:
            numbers = [int(number) for number in re.findall(rb"<PartNumber>(\d+)<", asked)]
            whole = b"".join(upload[1][number] for number in numbers)
            self.shelf.completed[name] = self.shelf.uploads.pop(name)
            self.shelf.objects[self.key] = whole
            self.answer(200, completed(etag(whole)))

    def do_GET(self) -> None:
        if "versioning" in self.query:
            self.answer(200, f"<VersioningConfiguration {NAMESPACE}/>")
        elif "object-lock" in self.query and self.shelf.fault == "legal-hold":
            enabled = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"
            self.answer(
                200, f"<ObjectLockConfiguration {NAMESPACE}>{enabled}</ObjectLockConfiguration>"
            )
        elif "legal-hold" in self.query:
            status = "ON" if self.key in self.shelf.held else "OFF"
            self.answer(200, f"<LegalHold {NAMESPACE}><Status>{status}</Status></LegalHold>")
        elif "object-lock" in self.query:
            self.refuse(404, "ObjectLockConfigurationNotFoundError")
        elif "uploads" in self.query:
            self.answer(200, self.listed_uploads())
        elif "versions" in self.query:
            self.answer(200, self.listed_versions())
        elif "uploadId" in self.query:
            self.list_parts()
        else:
            self.get()

    def do_HEAD(self) -> None:
        self.do_GET()

    def get(self) -> None:
        found = self.shelf.objects.get(self.key)
        if found is None:
            self.refuse(404, "NoSuchKey")
        elif (
            self.headers.get("If-Match") not in (None, etag(found))
            and self.shelf.fault != "pinned-read"
        ):
            self.refuse(412, "PreconditionFailed")
        else:
            self.answer(200, found, ETag=etag(found))

    def list_parts(self) -> None:
        upload = self.shelf.uploads.get(self.query["uploadId"])
        if upload is None:
            self.refuse(404, "NoSuchUpload")
            return
        listed = {} if self.shelf.fault == "list-parts" else upload[1]
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><Size>{len(body)}</Size>"
            f"<ETag>{etag(body)}</ETag></Part>"
            for number, body in sorted(listed.items())
        )
        self.answer(200, f"<ListPartsResult {NAMESPACE}>{parts}</ListPartsResult>")

    def do_DELETE(self) -> None:
        if "uploadId" in self.query:
            if self.shelf.fault != "abort":
                self.shelf.uploads.pop(self.query["uploadId"], None)
        else:
            self.shelf.objects.pop(self.key, None)
        self.answer(204)

    def listed_uploads(self) -> str:
        listed = "".join(
            f"<Upload><Key>{key}</Key><UploadId>{name}</UploadId><Initiated>{WHEN}</Initiated></Upload>"
            for name, (key, _parts) in self.shelf.uploads.items()
        )
        return f"<ListMultipartUploadsResult {NAMESPACE}>{listed}</ListMultipartUploadsResult>"

    def listed_versions(self) -> str:
        listed = "".join(
            f"<Version><Key>{key}</Key><VersionId>null</VersionId>"
            f"<LastModified>{WHEN}</LastModified></Version>"
            for key in sorted(self.shelf.objects)
            if key.startswith(self.query["prefix"])
        )
        return f"<ListVersionsResult {NAMESPACE}>{listed}</ListVersionsResult>"

    def agrees(self, body: bytes, fault: str) -> bool:
        """Whether the body has the checksum that came with it, and that was signed."""
        if self.shelf.fault == fault:
            return True
        given = self.headers.get("x-amz-checksum-sha256", "")
        measured = base64.b64encode(hashlib.sha256(body).digest()).decode()
        return given == measured and self.is_signed()

    def is_signed(self) -> bool:
        """Whether the address was signed for the headers that came (SigV4, in the query)."""
        place, _, query = self.path.partition("?")
        pairs = sorted(pair for pair in query.split("&") if "X-Amz-Signature=" not in pair)
        names = self.query["X-Amz-SignedHeaders"].split(";")
        headers = "".join(f"{name}:{self.headers.get(name, '').strip()}\n" for name in names)
        canonical = "\n".join(
            [self.command, place, "&".join(pairs), headers, ";".join(names), "UNSIGNED-PAYLOAD"]
        )
        scope = self.query["X-Amz-Credential"].partition("/")[2]
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{self.query['X-Amz-Date']}\n{scope}\n{hashed}"
        key = f"AWS4{SECRET_KEY}".encode()
        for step in scope.split("/"):
            key = hmac.digest(key, step.encode(), "sha256")
        return hmac.new(key, text.encode(), "sha256").hexdigest() == self.query["X-Amz-Signature"]

    def is_taken(self, fault: str) -> bool:
        return (
            self.headers.get("If-None-Match") == "*"
            and self.key in self.shelf.objects
            and self.shelf.fault != fault
        )


def etag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'  # noqa: S324 - what S3 calls an ETag


def completed(tag: str) -> str:
    return (
        f"<CompleteMultipartUploadResult {NAMESPACE}><ETag>{tag}</ETag>"
        "</CompleteMultipartUploadResult>"
    )


@contextmanager
def running_loose_s3(fault: str = "") -> Iterator[tuple[str, Shelf]]:
    """Where it listens, and what it holds."""
    shelf = Shelf(fault)
    handler = type("Handler", (Handler,), {"shelf": shelf})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", shelf
        finally:
            server.shutdown()
