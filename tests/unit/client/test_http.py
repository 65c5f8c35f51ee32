"""One store over HTTP against servers that break off, lie, redirect, and change their mind."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from client.answers import objects, texts
from client.build import Build, send_files, waiting_for
from client.credentials import ApiToken
from client.errors import (
    AnswerNotUnderstood,
    FileChanged,
    StoredOtherwise,
    StoreNotTrusted,
    StoreRefused,
    StoreUnreachable,
)
from client.files import files_meant, hash_files
from client.http import Store
from client.origin import Origin
from client.outgoing import Outgoing
from client.persistence import Persistence
from client.schedule import Patience
from kernel.digest import Sha256
from tests.factories.ci_issuer import certificate_for, running_issuer

TOKEN = "srt_secret"
Behaviour = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """Behaves as it is told, one request after the other; the last behaviour stays."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.behaviours: list[Behaviour] = []
        self.seen: list[tuple[str, str, str | None]] = []
        self.bodies: list[bytes] = []

    def store(self, *, seconds: float = 60.0) -> Store:
        patience = Patience(total=seconds, first_contact=seconds, first_wait=0.01)
        return Store(Origin.parse(self.url), ApiToken(TOKEN), Persistence(patience))


@pytest.fixture
def serve() -> Iterator[Callable[[], Server]]:
    with ExitStack() as stack:
        yield lambda: _start(stack)


@pytest.fixture
def server(serve: Callable[[], Server]) -> Server:
    return serve()


def _start(stack: ExitStack) -> Server:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            made.seen.append((self.command, self.path, self.headers.get("Authorization")))
            made.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            behave = made.behaviours.pop(0) if len(made.behaviours) > 1 else made.behaviours[0]
            behave(self)

        def do_POST(self) -> None:
            self.do_GET()

        def do_PUT(self) -> None:
            self.do_GET()

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing on stderr."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    stack.callback(listening.server_close)
    stack.callback(thread.join)
    stack.callback(listening.shutdown)
    made = Server(f"http://127.0.0.1:{listening.server_port}")
    return made


def answer(status: int, document: object = None, **headers: str) -> Behaviour:
    body = document if isinstance(document, bytes) else json.dumps(document or {}).encode()

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(body)), **named}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def problem(status: int, code: object, **members: object) -> Behaviour:
    document = {"type": "x", "title": "No.", "status": status, "code": code, **members}
    return answer(status, document, Content_Type="application/problem+json")


def outgoing(folder: Path, data: bytes, sent: list[int] | None = None) -> Outgoing:
    file = folder / "file"
    file.write_bytes(data)
    heard = sent if sent is not None else []
    return Outgoing(file, len(data), Sha256(sha256(data).hexdigest()), heard.append)


def test_survives_a_server_that_breaks_off(server: Server) -> None:
    def cut_short(handler: BaseHTTPRequestHandler) -> None:
        answer(200, b"{}", Content_Length="100")(handler)
        hang_up(handler)

    server.behaviours = [hang_up, cut_short, answer(502, b"bad"), answer(200, {"a": 1})]

    assert server.store().get(f"{server.url}/x").document == {"a": 1}
    assert len(server.seen) == 4


def test_gives_the_reason_of_a_server_that_never_answers(server: Server) -> None:
    server.behaviours = [hang_up]

    with pytest.raises(StoreUnreachable) as refused:
        server.store(seconds=0.05).get(f"{server.url}/x")

    assert TOKEN not in str(refused.value)


def test_keeps_the_stores_own_refusal(server: Server) -> None:
    server.behaviours = [problem(409, "path-taken", stored_sha256="1", errors=[])]

    with pytest.raises(StoreRefused) as refused:
        server.store().get(f"{server.url}/x")

    assert (refused.value.code, refused.value.facts["stored_sha256"]) == ("path-taken", "1")


@pytest.mark.parametrize("code", ["::error::x", "", "A", "a\nb", 5, None, ["a"]])
def test_believes_no_code_that_is_none(server: Server, code: object) -> None:
    server.behaviours = [problem(409, code)]

    with pytest.raises(StoreRefused) as refused:
        server.store().get(f"{server.url}/x")

    assert refused.value.code == "http-409"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[" * 100_000, b"\xff", b"null"])
def test_understands_no_answer_that_is_no_document(server: Server, body: bytes) -> None:
    server.behaviours = [answer(200, body)]

    with pytest.raises(AnswerNotUnderstood):
        _ = server.store().get(f"{server.url}/x").document


def test_follows_a_redirect_without_its_token(server: Server, serve: Callable[[], Server]) -> None:
    other = serve()
    other.behaviours = [answer(200, {"from": "elsewhere"})]
    server.behaviours = [answer(302, b"", Location=f"{other.url}/there")]

    found = server.store().get(f"{server.url}/x").document

    assert found == {"from": "elsewhere"}
    assert server.seen == [("GET", "/x", f"Bearer {TOKEN}")]
    assert other.seen == [("GET", "/there", None)]


def test_keeps_its_token_within_the_store(server: Server) -> None:
    server.behaviours = [answer(301, b"", Location="/there"), answer(200, {})]

    server.store().get(f"{server.url}/x")

    assert [seen[2] for seen in server.seen] == [f"Bearer {TOKEN}"] * 2


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://x/y", "/x"])
def test_follows_no_redirect_that_leads_nowhere_good(server: Server, location: str) -> None:
    server.behaviours = [answer(302, b"", Location=location)]

    with pytest.raises(AnswerNotUnderstood):
        server.store().get(f"{server.url}/x")

    assert len(server.seen) <= 6


def test_sends_no_upload_where_it_is_redirected(
    server: Server, serve: Callable[[], Server], tmp_path: Path
) -> None:
    other = serve()
    server.behaviours = [answer(307, b"", Location=f"{other.url}/there")]

    with pytest.raises(StoreRefused) as refused:
        server.store().put(f"{server.url}/x", outgoing(tmp_path, b"data"))

    assert refused.value.facts["location"] == f"{other.url}/there"
    assert other.seen == []


def test_sends_a_file_whole_however_often_it_takes(server: Server, tmp_path: Path) -> None:
    data, sent = b"0123456789" * 100_000, list[int]()
    digest = Sha256(sha256(data).hexdigest())
    server.behaviours = [hang_up, answer(503, b""), answer(201, {}, Repr_Digest=digest.field)]

    server.store().put(f"{server.url}/x", outgoing(tmp_path, data, sent))

    assert server.bodies[-1] == data
    assert sum(sent) == len(data)


def test_sends_an_empty_file(server: Server, tmp_path: Path) -> None:
    nothing = Sha256(sha256(b"").hexdigest())
    server.behaviours = [answer(201, {}, Repr_Digest=nothing.field)]

    server.store().put(f"{server.url}/x", outgoing(tmp_path, b""))

    assert server.bodies == [b""]


@pytest.mark.parametrize("confirmed", ["", Sha256("0" * 64).field, "sha-512=:AAAA:"])
def test_refuses_a_store_that_confirms_something_else(
    server: Server, tmp_path: Path, confirmed: str
) -> None:
    headers = {"Repr_Digest": confirmed} if confirmed else {}
    server.behaviours = [answer(201, {}, **headers)]

    with pytest.raises(StoredOtherwise):
        server.store().put(f"{server.url}/x", outgoing(tmp_path, b"data"))


def test_refuses_a_file_that_has_become_shorter(server: Server, tmp_path: Path) -> None:
    server.behaviours = [hang_up]
    announced = outgoing(tmp_path, b"data" * 1000)
    announced.file.write_bytes(b"data")

    with pytest.raises(FileChanged):
        server.store().put(f"{server.url}/x", announced)


def test_blames_the_file_when_the_store_got_other_bytes(server: Server, tmp_path: Path) -> None:
    server.behaviours = [problem(422, "digest-mismatch")]
    build = Build("b", "open", {})
    (tmp_path / "file").write_bytes(b"before")
    meant = files_meant(["file"], root=tmp_path, folder=tmp_path)
    hashed = hash_files(meant, jobs=1, on_bytes=lambda _read: None)

    def send() -> None:
        send_files(
            server.store(),
            build,
            hashed,
            jobs=1,
            on_bytes=lambda _sent: None,
            on_file=lambda _file: None,
        )

    with pytest.raises(StoreRefused):
        send()
    (tmp_path / "file").write_bytes(b"after!")
    with pytest.raises(FileChanged):
        send()


def test_trusts_no_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    with running_issuer(certificate_for("127.0.0.1", tmp_path)) as stranger:
        url = stranger.url.replace("http:", "https:")
        store = Store(Origin.parse(url), ApiToken(TOKEN))

        with pytest.raises(StoreNotTrusted):
            store.get(f"{url}/x")

        assert stranger.asked == []


def test_repeats_an_exchange_with_its_secret_only(server: Server) -> None:
    server.behaviours = [hang_up, answer(200, {})]

    server.store().post(f"{server.url}/x", {"first": 1}, again={"again": 1}, as_nobody=True)

    assert [json.loads(body) for body in server.bodies] == [{"first": 1}, {"again": 1}]
    assert [seen[2] for seen in server.seen] == [None, None]


def test_quotes_names_in_addresses() -> None:
    store = Store(Origin.parse("https://store.example"))

    address = store.address("api", "a/b?c#d", path="dir/na ïve?.txt")

    assert address == "https://store.example/api/a%2Fb%3Fc%23d/dir/na%20%C3%AFve%3F.txt"


@pytest.mark.parametrize(
    ("request_of", "said"),
    [
        ({"last_error": None, "next_attempt_at": "2030-01-01T00:00:00Z"}, "its attestation"),
        ({"last_error": "malformed-facts"}, "its attestation, after malformed-facts"),
        (
            {
                "last_error": "signer-unavailable",
                "service": "rekor",
                "reason": "not-reachable",
                "next_attempt_at": "2030-01-01T00:00:00Z",
            },
            (
                "its attestation, after signer-unavailable (rekor: not-reachable); "
                "tried again at 2030-01-01T00:00:00Z"
            ),
        ),
    ],
)
def test_says_why_a_build_waits_and_until_when(request_of: dict[str, str], said: str) -> None:
    document = {"state": "sealed", "attestation": {"requests": [request_of]}}

    assert waiting_for(document) == said


@pytest.mark.parametrize("junk", [None, 5, "text", [5], [None], {"a": 1}, [{"requests": 5}]])
def test_shows_what_it_can_of_a_document_that_is_half_nonsense(junk: object) -> None:
    document = {"state": "sealed", "attestation": {"requests": junk}, "artifacts": junk}

    assert waiting_for(document) == "its attestation"
    assert waiting_for({"attestation": junk}) == "its attestation"
    assert objects(junk) in ([], junk)
    assert texts(junk) == []
