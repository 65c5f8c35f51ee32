"""A CI job with many files: opened, uploaded, sealed, published together."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from access.domain import tokens
from access.domain.tokens import TokenKind
from access.models import Token
from artifacts.models import Build
from kernel.actor import Permission
from provenance.domain.build_facts import Hosting, Platform, Witnessed
from provenance.domain.policy import Source
from provenance.models import AttestationRequest
from provenance.usecases.grant_builders import grant_builders
from provenance.usecases.set_policy import set_policy
from tests.factories.actors import administrator
from tests.factories.facts import ISSUER, witnessed
from tests.journeys.conftest import Answer, Shop, Web, declare, digest_of, running_web

Curl = Callable[..., Answer]
FILES = {"dist/one.bin": b"one" * 1000, "dist/two.bin": b"two" * 1000}


def job_token(shop: Shop, facts: Witnessed) -> str:
    """The secret of an upload token, as the exchange would have made it for this job."""
    secret = tokens.make(TokenKind.UPLOAD)
    now = timezone.now()
    Token.objects.create(
        kind=TokenKind.UPLOAD.value,
        name="a job",
        secret_sha256=secret.sha256,
        project=shop.project,
        permissions=[Permission.READ.value, Permission.UPLOAD.value],
        facts=facts.to_json(),
        job_key=facts.job_key,
        created_at=now,
        created_by=f"ci:{facts.repository}#{facts.run_id}",
        expires_at=now + timedelta(minutes=15),
    )
    return secret.text


class Job:
    """curl in the hands of a CI job."""

    def __init__(self, curl: Curl, web: Web, token: str, folder: Path) -> None:
        self._curl, self._web, self._token, self._folder = curl, web, token, folder

    def post(self, url: str, body: object) -> Answer:
        data = self._folder / "body.json"
        data.write_text(json.dumps(body))
        arguments = ["-H", "Content-Type: application/json", "--data-binary", f"@{data}"]
        return self._curl(*arguments, url, token=self._token)

    def open(self, shop: Shop, **body: object) -> Answer:
        return self.post(f"{shop.url}/builds", body)

    def put(self, build: dict[str, Any], path: str, data: bytes) -> Answer:
        file = self._folder / "file"
        file.write_bytes(data)
        url = self._web.at(build["urls"]["upload"].replace("{path}", path))
        return self._curl("-T", str(file), *declare(data), url, token=self._token)

    def seal(self, build: dict[str, Any], files: dict[str, bytes]) -> Answer:
        return self.post(self._web.at(build["urls"]["seal"]), wanted(files))


def wanted(files: dict[str, bytes]) -> dict[str, Any]:
    """The body of a seal."""
    return {
        "files": [{"path": path, "sha256": digest_of(data).hex} for path, data in files.items()]
    }


@pytest.fixture
def ci(shop: Shop, curl: Curl, tmp_path: Path) -> Job:
    return Job(curl, shop.web, job_token(shop, witnessed()), tmp_path)


def test_publishes_all_its_files_together(shop: Shop, ci: Job, curl: Curl) -> None:
    opened = ci.open(shop)
    build = opened.json
    sent = {path: ci.put(build, path, data) for path, data in FILES.items()}
    hidden = [
        curl(shop.web.at(build["urls"]["self"]), token=shop.tokens.reader),
        *(
            curl(shop.web.at(answer.json["urls"]["self"]), token=shop.tokens.reader)
            for answer in sent.values()
        ),
    ]

    sealed = ci.seal(build, FILES)
    with transaction.atomic():
        set_policy(
            scope=shop.project.scope,
            sources=[Source(ISSUER, witnessed().repository_id, witnessed().owner_id)],
            actor=administrator(),
            now=timezone.now(),
        )
        grant_builders(
            issuer_name="github",
            platform=Platform.GITHUB,
            base_url=settings.PUBLIC_URL,
            actor=administrator(),
            now=timezone.now(),
        )
    shop.attest()

    assert (opened.status, build["state"]) == (201, "open")
    assert opened.headers["location"] == build["urls"]["self"]
    assert {answer.status for answer in sent.values()} == {201}
    assert {answer.status for answer in hidden} == {404}
    assert (sealed.status, sealed.json["state"]) == (200, "sealed")
    for path, data in FILES.items():
        download = shop.web.at(sent[path].json["urls"]["download"])
        got = curl(download, token=shop.tokens.reader)
        assert (got.status, got.body) == (200, data)
        assert got.headers["strongroom-verification"].startswith("passed")
    shown = curl(shop.web.at(build["urls"]["self"]), token=shop.tokens.reader).json
    assert shown["state"] == "published"
    assert {one["path"]: one["job"] for one in shown["artifacts"]} == dict.fromkeys(
        FILES, witnessed().job_key
    )
    assert AttestationRequest.objects.count() == 1


def test_may_repeat_every_step(shop: Shop, ci: Job) -> None:
    build = ci.open(shop).json
    [(path, data)] = [*FILES.items()][:1]
    statuses = [ci.put(build, path, data).status for _ in range(2)]
    statuses += [ci.seal(build, {path: data}).status for _ in range(2)]

    again = ci.open(shop)

    assert statuses == [201, 200, 200, 200]
    assert (again.status, again.json["id"], again.json["state"]) == (200, build["id"], "sealed")
    assert ci.put(build, path, data).status == 200


def test_is_told_what_differs_and_what_came_too_late(shop: Shop, ci: Job) -> None:
    build = ci.open(shop).json
    ci.put(build, "a", b"1")

    differs = ci.seal(build, {"a": b"2", "b": b"3"})
    taken = ci.put(build, "a", b"2")
    sealed = ci.seal(build, {"a": b"1"})
    late = ci.put(build, "b", b"3")
    other = ci.seal(build, {"b": b"3"})

    assert differs.status == 409
    assert differs.is_problem("build-differs")
    assert differs.json["missing"] == {"count": 1, "files": ["b"]}
    assert differs.json["differing"]["files"][0]["stored_sha256"] == digest_of(b"1").hex
    assert taken.is_problem("path-taken")
    assert sealed.status == 200
    for answer in (late, other):
        assert answer.status == 409
        assert answer.is_problem("build-sealed")
        assert answer.json["sealed_at"] == sealed.json["sealed_at"]
    assert other.json["unexpected"] == {"count": 1, "files": ["a"]}


def test_may_look_at_its_open_build_and_take_a_file_back(shop: Shop, ci: Job, curl: Curl) -> None:
    build = ci.open(shop).json
    for path, data in FILES.items():
        ci.put(build, path, data)
    own, reader = job_token(shop, witnessed(token_id_sha256="2" * 64)), shop.tokens.reader
    address = shop.web.at(build["urls"]["self"])
    one = shop.web.at(build["urls"]["upload"].replace("{path}", "dist/one.bin"))

    shown = curl(address, token=own).json
    removed = [curl("-X", "DELETE", one, token=own) for _ in range(2)]

    assert {(a["path"], a["sha256"], a["size_bytes"]) for a in shown["artifacts"]} == {
        (path, digest_of(data).hex, len(data)) for path, data in FILES.items()
    }
    assert curl(address, token=reader).is_problem("build-not-found")
    assert (removed[0].status, removed[0].body) == (204, b"")
    assert removed[1].is_problem("artifact-not-found")
    assert [a["path"] for a in curl(address, token=own).json["artifacts"]] == ["dist/two.bin"]
    assert ci.put(build, "dist/one.bin", b"rebuilt").status == 201
    files = {**FILES, "dist/one.bin": b"rebuilt"}
    assert ci.seal(build, files).status == 200
    assert curl("-X", "DELETE", one, token=own).is_problem("build-sealed")
    assert curl(f"{shop.web.url}/api/v1/limits").json["build"]["limit_files"] == 10_000


def test_is_told_what_a_seal_wants_to_read(shop: Shop, ci: Job) -> None:
    build = ci.open(shop).json
    one = {"path": "a", "sha256": "0" * 64}
    seal = shop.web.at(build["urls"]["seal"])

    for body, entry in (
        ({}, None),
        ([], None),
        ({"files": "a"}, None),
        ({"files": ["a"]}, 1),
        ({"files": [one, {"path": "b"}]}, 2),
        ({"files": [one, one]}, 2),
        ({"files": [{**one, "sha256": "0" * 63 + "G"}]}, 1),
        ({"files": [{**one, "sha256": 5}]}, 1),
    ):
        answer = ci.post(seal, body)
        assert answer.status == 400, body
        assert answer.is_problem("malformed-request")
        assert answer.json.get("entry") == entry, body
    assert ci.post(seal, {"files": []}).is_problem("build-empty")
    assert ci.open(shop, shared=True).is_problem("malformed-request")
    assert ci.open(shop, name="Not A Name").is_problem("unsafe-name")


def test_may_seal_very_many_files(shop: Shop, ci: Job) -> None:
    build = ci.open(shop).json
    many = {f"a/long/way/down/to/file-{number:06}": b"" for number in range(40_000)}

    answer = ci.seal(build, many)
    too_many = ci.seal(build, {f"{path}{'x' * 100}": b"" for path in many})

    assert answer.is_problem("build-differs")
    assert answer.json["missing"]["count"] == 40_000
    assert len(answer.json["missing"]["files"]) == 50
    assert too_many.status == 413
    assert too_many.is_problem("request-too-large")


def test_opens_a_release_without_ci_identity(shop: Shop, curl: Curl, tmp_path: Path) -> None:
    release = Job(curl, shop.web, shop.tokens.uploader, tmp_path)
    builds = [release.open(shop).json for _ in range(2)]
    refused = release.open(shop, name="x", shared=True)

    for build in builds:
        assert release.put(build, "a", build["id"].encode()).status == 201
        assert release.seal(build, {"a": build["id"].encode()}).status == 200

    assert len({build["id"] for build in builds}) == 2
    assert refused.status == 422
    assert refused.is_problem("ci-identity-missing")


def test_is_no_place_for_another_job_or_a_stranger(
    shop: Shop, ci: Job, curl: Curl, tmp_path: Path
) -> None:
    build = ci.open(shop).json

    for token, status, code in (
        (job_token(shop, witnessed(run_id="1")), 403, "build-not-yours"),
        (shop.tokens.uploader, 403, "build-not-yours"),
        (shop.tokens.reader, 403, "permission-missing"),
        (shop.tokens.stranger, 404, "build-not-found"),
    ):
        other = Job(curl, shop.web, token, tmp_path)
        for answer in (other.put(build, "a", b"1"), other.seal(build, {"a": b"1"})):
            assert answer.status == status, answer
            assert answer.is_problem(code)
    assert ci.put(build, "a", b"1").status == 201


def call(method: str, url: str, token: str, data: bytes, **headers: str) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - loopback
        url, data=data, method=method, headers={"Authorization": f"Bearer {token}", **headers}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
        found: dict[str, Any] = json.load(answer)
    return found


def test_is_shared_by_a_matrix_of_fifty_jobs(shop: Shop) -> None:
    shards = [
        witnessed(
            job_id=str(number + 1),
            hosting=Hosting.SELF_HOSTED if number % 2 else Hosting.HOSTED,
        )
        for number in range(50)
    ]
    secrets = [job_token(shop, facts) for facts in shards]
    body = json.dumps({"name": "matrix", "shared": True}).encode()

    def work(number: int) -> tuple[str, dict[str, bytes]]:
        secret = secrets[number]
        is_json = {"Content-Type": "application/json"}
        build = call("POST", f"{shop.url}/builds", secret, body, **is_json)
        files = {f"{number:02}/{name}": b"%d" % number + name.encode() for name in "ab"}
        for path, data in files.items():
            url = shop.web.at(build["urls"]["upload"].replace("{path}", path))
            call("PUT", url, secret, data)
        return build["urls"]["seal"], files

    with ThreadPoolExecutor(50) as pool:
        done = list(pool.map(work, range(50)))
    [seal] = {url for url, _files in done}
    files = {path: data for _url, brought in done for path, data in brought.items()}
    expected = json.dumps(wanted(files)).encode()
    call("POST", shop.web.at(seal), secrets[49], expected, **{"Content-Type": "application/json"})
    shop.attest()

    build = Build.objects.get()
    assert (build.state, build.artifacts.count()) == ("published", 100)
    stated = {
        facts["job_id"]: (facts["hosting"], [name for name, _digest in subjects])
        for facts, subjects in AttestationRequest.objects.values_list("facts", "subjects")
        if facts is not None
    }
    assert stated == {
        facts.job_id: (facts.hosting.value, [f"{number:02}/a", f"{number:02}/b"])
        for number, facts in enumerate(shards)
    }


@pytest.fixture
def trigger(tmp_path: Path) -> Path:
    return tmp_path / "trigger"


@pytest.fixture(params=["artifacts.received", "artifacts.adding", "artifacts.added"])
def dying_web(request: pytest.FixtureRequest, trigger: Path, shop: Shop) -> Iterator[Web]:  # noqa: ARG001 - the tables are there
    point = str(request.param)
    with running_web(STRONGROOM_FAULT_POINTS=f"{point}={trigger}") as web:
        yield web


def test_goes_on_where_a_killed_server_left_it(
    shop: Shop, ci: Job, dying_web: Web, trigger: Path
) -> None:
    """Between a file and the seal: whatever was acknowledged is there, and a retry is harmless."""
    build = ci.open(shop).json
    assert ci.put(build, "a", b"1").status == 201
    trigger.touch()
    path = build["urls"]["upload"].replace("{path}", "b")
    secret = job_token(shop, witnessed(token_id_sha256="1" * 64))

    with pytest.raises((urllib.error.URLError, ConnectionError)):
        call("PUT", dying_web.at(path), secret, b"2")

    assert not trigger.exists()
    assert ci.seal(build, {"a": b"1", "b": b"2", "c": b"3"}).is_problem("build-differs")
    assert ci.put(build, "b", b"2").status in (200, 201)
    assert ci.seal(build, {"a": b"1", "b": b"2"}).status == 200
    shop.attest()
    assert Build.objects.get().state == "published"
