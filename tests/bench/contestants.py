"""Who is measured: this store, and what else could take the same bytes on the same machine.

Each gives works for `drive`: the requests that a client of it sends for one file.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import urljoin

from tests.bench.load import MEBIBYTE, Body, Links, Work

PART_BYTES: Final = 16 * MEBIBYTE
SETTLE_SECONDS: Final = 300


class Contestant(Protocol):
    """One server as a benchmark sees it."""

    name: str

    def upload(self, body: Body) -> Work:
        """What sends the file."""

    def download(self, body: Body) -> Work:
        """What fetches a file that was sent and has settled; the whole of it is read."""

    def settle(self, bodies: Sequence[Body]) -> None:
        """Return once these files can be downloaded."""


def whole(links: Links, url: str, body: Body, headers: dict[str, str] | None = None) -> None:
    """Fetch and count."""
    size = links.ask("GET", url, headers=headers).size
    if size != body.size:
        raise SystemExit(f"{url} gave {size} of {body.size} bytes")


@dataclass
class Strongroom:
    """This store. `front` is where downloads are asked for when that is not the app itself."""

    name: str
    url: str
    project: str
    upload_token: str = field(repr=False)
    read_token: str = field(repr=False)
    front: str = ""

    def upload(self, body: Body) -> Work:
        url = f"{self.url}/api/v1/projects/{self.project}/artifacts/{body.label}"
        headers = {**_bearer(self.upload_token), "Content-Length": str(body.size)}
        return lambda links: links.ask("PUT", url, body.blocks(), headers).status

    def download(self, body: Body) -> Work:
        url = f"{self.front or self.url}/api/v1/artifacts/{self.artifact(body)['id']}/download"
        return lambda links: whole(links, url, body, _bearer(self.read_token))

    def direct(self, body: Body) -> Work:
        """What sends the file straight to the bucket, by the store's word for each part."""
        api = f"{self.url}/api/v1"

        def send(links: Links) -> str:
            def ask(url: str, document: object) -> Any:
                return json.loads(links.ask("POST", url, *_json(document, self.upload_token)).body)

            build = ask(f"{api}/projects/{self.project}/builds", {})
            upload = ask(
                f"{api}/builds/{build['id']}/uploads",
                {"path": body.label, "sha256": body.sha256(), "size_bytes": body.size},
            )
            ranges = parts(body, upload["part_bytes"])
            wanted = [
                {"number": number, "sha256": body.sha256(start, end)}
                for number, (start, end) in enumerate(ranges, start=1)
            ]
            signed = ask(f"{api}/uploads/{upload['id']}/parts", {"parts": wanted})["parts"]
            for part, (start, end) in zip(signed, ranges, strict=True):
                headers = {**part["headers"], "Content-Length": str(end - start)}
                links.ask(part["method"], part["url"], body.blocks(start, end), headers)
            ask(f"{api}/uploads/{upload['id']}/complete", {})
            return str(build["id"])

        return send

    def seal(self, build: str, body: Body) -> None:
        """Close a direct upload's build, once the worker has measured what arrived."""
        files = {"files": [{"path": body.label, "sha256": body.sha256()}]}
        url = f"{self.url}/api/v1/builds/{build}/seal"

        def sealed() -> bool:
            links = Links()
            files_url = f"{self.url}/api/v1/builds/{build}/files"
            mine = _bearer(self.upload_token)  # nobody else sees a build that is open
            found = json.loads(links.ask("GET", files_url, headers=mine).body)
            return bool(found["artifacts"])

        until(sealed, f"{body.label} is measured")
        Links().ask("POST", url, *_json(files, self.upload_token))

    def settle(self, bodies: Sequence[Body]) -> None:
        links = Links()
        for body in bodies:
            url = f"{self.url}/api/v1/artifacts/{self.artifact(body)['id']}"

            def published(url: str = url) -> bool:
                found = json.loads(links.ask("GET", url, headers=self._reads).body)
                return bool(found["attestation"]["status"] == "published")

            until(published, f"{body.label} is published")

    def artifact(self, body: Body) -> dict[str, Any]:
        """The artifact of that name."""
        url = f"{self.url}/api/v1/projects/{self.project}/files?prefix={body.label}"
        found = json.loads(Links().ask("GET", url, headers=self._reads).body)["artifacts"]
        one: dict[str, Any] = next(each for each in found if each["path"] == body.label)
        return one

    @property
    def _reads(self) -> dict[str, str]:
        return _bearer(self.read_token)


@dataclass
class RawS3:
    """The S3 server that stands below the store, with addresses signed beforehand."""

    name: str
    client: Any
    bucket: str

    def upload(self, body: Body) -> Work:
        url = self._sign("put_object", Key=body.label)
        headers = {"Content-Length": str(body.size)}
        return lambda links: links.ask("PUT", url, body.blocks(), headers).status

    def download(self, body: Body) -> Work:
        url = self._sign("get_object", Key=body.label)
        return lambda links: whole(links, url, body)

    def direct(self, body: Body) -> Work:
        """A multipart upload with the same parts as the store's clients send."""
        upload = self.client.create_multipart_upload(Bucket=self.bucket, Key=body.label)["UploadId"]
        ranges = parts(body, PART_BYTES)
        urls = [
            self._sign("upload_part", Key=body.label, UploadId=upload, PartNumber=number)
            for number in range(1, len(ranges) + 1)
        ]
        complete = self._sign("complete_multipart_upload", Key=body.label, UploadId=upload)

        def send(links: Links) -> None:
            said = []
            for number, (url, (start, end)) in enumerate(zip(urls, ranges, strict=True), start=1):
                headers = {"Content-Length": str(end - start)}
                etag = links.ask("PUT", url, body.blocks(start, end), headers).headers["etag"]
                said.append(f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
            document = f"<CompleteMultipartUpload>{''.join(said)}</CompleteMultipartUpload>"
            links.ask("POST", complete, document.encode())

        return send

    def settle(self, bodies: Sequence[Body]) -> None:
        """What was answered can be read."""

    def _sign(self, operation: str, **parameters: object) -> str:
        url: str = self.client.generate_presigned_url(
            operation, Params={"Bucket": self.bucket, **parameters}, ExpiresIn=3600
        )
        return url


@dataclass
class Nginx:
    """nginx as a plain WebDAV folder: the web server alone, without any meaning."""

    name: str
    url: str

    def upload(self, body: Body) -> Work:
        headers = {"Content-Length": str(body.size)}
        return lambda links: links.ask("PUT", self._at(body), body.blocks(), headers).status

    def download(self, body: Body) -> Work:
        return lambda links: whole(links, self._at(body), body)

    def settle(self, bodies: Sequence[Body]) -> None:
        """What was answered can be read."""

    def _at(self, body: Body) -> str:
        return f"{self.url}/{body.label}"


@dataclass
class Registry:
    """docker-registry, a blob at a time: the digest comes with the upload, as its clients do it."""

    name: str
    url: str

    def upload(self, body: Body) -> Work:
        digest = f"sha256:{body.sha256()}"
        start = f"{self.url}/v2/bench/blobs/uploads/"
        headers = {"Content-Length": str(body.size), "Content-Type": "application/octet-stream"}

        def send(links: Links) -> None:
            opened = links.ask("POST", start, b"", {"Content-Length": "0"}).headers["location"]
            url = urljoin(start, opened)
            links.ask("PUT", f"{url}&digest={digest}", body.blocks(), headers)

        return send

    def download(self, body: Body) -> Work:
        url = f"{self.url}/v2/bench/blobs/sha256:{body.sha256()}"
        return lambda links: whole(links, url, body)

    def settle(self, bodies: Sequence[Body]) -> None:
        """What was answered can be read."""


def parts(body: Body, size: int) -> list[tuple[int, int]]:
    """The ranges of a body by parts of that size."""
    return [(start, min(start + size, body.size)) for start in range(0, body.size, size)]


def until(condition: Callable[[], bool], what: str) -> None:
    """Ask again and again, and give up loudly."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {SETTLE_SECONDS} seconds")
        time.sleep(0.01)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _json(document: object, token: str) -> tuple[bytes, dict[str, str]]:
    return json.dumps(document).encode(), {**_bearer(token), "Content-Type": "application/json"}
