"""CI jobs as `strongroom` meets them: an environment, and GitHub's way to a new identity token."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.factories.ci_issuer import CiIssuer, respond

REQUEST_TOKEN = "the-runner's-own-token"


@dataclass(slots=True)
class GithubRuntime:
    """What a runner offers its jobs; `claims` change the tokens that it gives from now on."""

    url: str
    issuer: CiIssuer
    claims: dict[str, Any] = field(default_factory=dict)
    audiences: list[str] = field(default_factory=list)
    refuses: bool = False

    @property
    def environ(self) -> dict[str, str]:
        """A job's environment, as far as a client looks at it."""
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/idtoken/1?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
        }


def gitlab_environ(issuer: CiIssuer, **claims: Any) -> dict[str, str]:
    """The environment of a GitLab job whose configuration has `id_tokens:`."""
    return {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_JOB_TOKEN": "the-job's-own-token-and-nobody-else's",
        "STRONGROOM_ID_TOKEN": issuer.gitlab_token(**claims),
    }


@contextmanager
def running_github(issuer: CiIssuer) -> Iterator[GithubRuntime]:
    """The runner's address for identity tokens, over an issuer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            is_the_job = self.headers.get("Authorization") == f"Bearer {REQUEST_TOKEN}"
            if runtime.refuses or not is_the_job or asked.get("api-version") != ["2.0"]:
                respond(self, b"{}", status=403)
                return
            runtime.audiences += asked["audience"]
            token = issuer.token(aud=asked["audience"][0], **runtime.claims)
            respond(self, json.dumps({"value": token, "count": len(token)}).encode())

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing on stderr."""

    with _serving(Handler) as url:
        runtime = GithubRuntime(url, issuer)
        yield runtime


@contextmanager
def _serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
