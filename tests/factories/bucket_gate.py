"""What stands between clients and a bucket: forwards each PUT, unless it is told otherwise."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import urllib3


@dataclass(slots=True)
class Gate:
    """`readdressed` gives the path that is asked for instead; None answers 200 and drops it all."""

    url: str
    readdressed: Callable[[str], str | None] = field(default=lambda path: path)
    statuses: list[int] = field(default_factory=list)


@contextmanager
def running_gate(endpoint: str) -> Iterator[Gate]:
    """A gate before this server. Signatures name the gate's own host, and stay good."""
    pool = urllib3.PoolManager(retries=False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            path = gate.readdressed(self.path)
            status, told = 200, b""
            if path is not None:
                headers = dict(self.headers.items())
                answer = pool.request("PUT", f"{endpoint}{path}", body=body, headers=headers)
                status, told = answer.status, answer.data
            gate.statuses.append(status)
            self.send_response(status)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing on stderr."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gate = Gate(f"http://127.0.0.1:{listening.server_port}")
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield gate
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()
