"""A CI job that uploads with curl …"""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from artifacts.models import Artifact, Build
from tests.journeys.conftest import Answer, Shop, declare, digest_of, half_received

Curl = Callable[..., Answer]
MEBIBYTE = 1024 * 1024
DATA = b"the widget's bytes\n" * 1000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "widget-1.0.tar.gz"
    path.write_bytes(DATA)
    return path


def test_stores_a_file_and_says_where_it_is(shop: Shop, curl: Curl, file: Path) -> None:
    answer = curl("-T", str(file), shop.upload_url("dist/w.tar.gz"), token=shop.tokens.uploader)

    assert answer.status == 201, answer
    artifact = Artifact.objects.get()
    document = answer.json
    assert document["id"] == str(artifact.pk)
    assert document["path"] == "dist/w.tar.gz"
    assert document["sha256"] == digest_of(DATA).hex
    assert document["size_bytes"] == len(DATA)
    assert document["build"] == {"id": str(artifact.build_id), "state": "sealed"}
    assert document["attestation"] == {"status": "pending"}
    assert answer.headers["location"] == document["urls"]["self"]
    assert answer.headers["repr-digest"] == digest_of(DATA).field
    shown = curl(shop.web.at(answer.headers["location"]), token=shop.tokens.uploader)
    assert shown.json == document


def test_names_the_file_as_curl_does_below_a_folder(shop: Shop, curl: Curl, file: Path) -> None:
    answer = curl("-T", str(file), shop.upload_url("dist/"), token=shop.tokens.uploader)

    assert answer.status == 201, answer
    assert answer.json["path"] == "dist/widget-1.0.tar.gz"


def test_takes_the_token_as_a_password(shop: Shop, curl: Curl, file: Path) -> None:
    user = f"__token__:{shop.tokens.uploader}"

    assert curl("-u", user, "-T", str(file), shop.upload_url("x")).status == 201


def test_may_retry(shop: Shop, curl: Curl, file: Path) -> None:
    first = curl("-T", str(file), shop.upload_url("x"), token=shop.tokens.uploader)
    again = curl("-T", str(file), shop.upload_url("x"), token=shop.tokens.uploader)

    assert (first.status, again.status) == (201, 200)
    assert first.json == again.json
    assert first.headers["location"] == again.headers["location"]
    assert Build.objects.count() == 1


def test_cannot_replace_what_is_there(shop: Shop, curl: Curl, file: Path) -> None:
    curl("-T", str(file), shop.upload_url("x"), token=shop.tokens.uploader)

    other = curl(
        "-T", "-", shop.upload_url("x"), *declare(b"o"), stdin=b"o", token=shop.tokens.uploader
    )

    assert other.status == 409
    assert other.is_problem("path-taken")
    assert other.json["existing_sha256"] == digest_of(DATA).hex
    assert other.json["sent_sha256"] == digest_of(b"o").hex


@pytest.mark.parametrize("size", [0, 1, 3 * MEBIBYTE + 7])
def test_sends_any_size(shop: Shop, curl: Curl, tmp_path: Path, size: int) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * size)

    answer = curl("-T", str(file), shop.upload_url("x"), token=shop.tokens.uploader)

    assert answer.status == 201, answer
    assert answer.json["size_bytes"] == size
    assert answer.json["sha256"] == digest_of(b"x" * size).hex


@pytest.mark.parametrize("header", ["Repr-Digest", "Content-Digest"])
def test_streams_with_a_declared_digest(shop: Shop, curl: Curl, header: str) -> None:
    data = DATA * 200

    answer = curl(
        "-T",
        "-",
        shop.upload_url("x"),
        *declare(data, header),
        stdin=data,
        token=shop.tokens.uploader,
    )

    assert answer.status == 201, answer
    assert answer.json["sha256"] == digest_of(data).hex


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("-H", f"Repr-Digest: sha-512=:{base64.b64encode(b'x' * 64).decode()}:"),
    ],
)
def test_must_prove_the_end_of_a_stream(shop: Shop, curl: Curl, headers: tuple[str]) -> None:
    answer = curl(
        "-T", "-", shop.upload_url("x"), *headers, stdin=DATA * 200, token=shop.tokens.uploader
    )

    assert answer.status == 411
    assert answer.is_problem("length-required")
    assert Artifact.objects.count() == 0


@pytest.mark.parametrize("source", ["file", "stream"])
def test_is_told_of_a_wrong_digest(shop: Shop, curl: Curl, file: Path, source: str) -> None:
    sent, stdin = (str(file), None) if source == "file" else ("-", DATA)

    answer = curl(
        "-T",
        sent,
        shop.upload_url("x"),
        *declare(b"other"),
        stdin=stdin,
        token=shop.tokens.uploader,
    )

    assert answer.status == 422
    assert answer.is_problem("digest-mismatch")
    assert answer.json["declared"] == digest_of(b"other").hex
    assert answer.json["measured"] == digest_of(DATA).hex
    assert Artifact.objects.count() == 0
    assert half_received() == []


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        (["Repr-Digest: sha-256=:AAAA:"], 400, "malformed-digest"),
        (["Repr-Digest: md5"], 400, "malformed-digest"),
        (
            [f"Repr-Digest: {digest_of(b'a').field}", f"Content-Digest: {digest_of(b'b').field}"],
            400,
            "digests-contradict",
        ),
        (["Content-Encoding: gzip"], 415, "encoded-upload"),
        (["Content-Range: bytes 0-9/100"], 400, "partial-upload"),
        (["Authorization: Bearer nonsense"], 401, "token-malformed"),
    ],
)
def test_is_told_what_is_wrong_with_the_headers(
    *, shop: Shop, curl: Curl, file: Path, headers: list[str], status: int, code: str
) -> None:
    is_about_token = any(header.startswith("Authorization") for header in headers)
    given = [argument for header in headers for argument in ("-H", header)]

    answer = curl(
        *given,
        "-T",
        str(file),
        shop.upload_url("x"),
        token=None if is_about_token else shop.tokens.uploader,
    )

    assert answer.status == status, answer
    assert answer.is_problem(code)
    assert Artifact.objects.count() == 0


def test_may_say_that_nothing_is_encoded(shop: Shop, curl: Curl, file: Path) -> None:
    encoding = ("-H", "Content-Encoding: identity")

    answer = curl(*encoding, "-T", str(file), shop.upload_url("x"), token=shop.tokens.uploader)

    assert answer.status == 201, answer


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("../../x", "dots"),
        ("a/%2e%2e/x", "dots"),
        ("a//b", "empty segment"),
        ("", "empty"),
        ("a%00b", "control"),
        ("a%0Ab", "control"),
        ("a%5Cb", "backslash"),
        ("C:/x", "drive"),
        ("%E2%80%AEgpj.exe", "direction"),
        ("cafe%CC%81", "normalization"),
        ("x" * 256, "255"),
    ],
)
def test_is_told_what_is_wrong_with_a_path(
    shop: Shop, curl: Curl, file: Path, path: str, rule: str
) -> None:
    answer = curl(
        "--path-as-is",
        "-X",
        "PUT",
        "--data-binary",
        f"@{file}",
        shop.upload_url(path),
        token=shop.tokens.uploader,
    )

    assert answer.status == 400, answer
    assert answer.is_problem("unsafe-path")
    assert rule in answer.json["rule"]


def test_may_use_any_script_in_a_name(shop: Shop, curl: Curl, file: Path) -> None:
    answer = curl(
        "-T", str(file), shop.upload_url("caf%C3%A9/%E6%97%A5%20100%25"), token=shop.tokens.uploader
    )

    assert answer.status == 201, answer
    assert answer.json["path"] == "café/日 100%"
    assert answer.json["urls"]["download_by_name"].endswith("/caf%C3%A9/%E6%97%A5%20100%25")


def test_gets_bytes_that_are_no_text_spelled_with_percent_signs(
    shop: Shop, curl: Curl, file: Path
) -> None:
    # Django spells them so before any view sees them, for uploads and downloads alike.
    answer = curl("-T", str(file), shop.upload_url("a%FFb"), token=shop.tokens.uploader)

    assert answer.status == 201, answer
    assert answer.json["path"] == "a%FFb"
    assert answer.json["urls"]["download_by_name"].endswith("/a%25FFb")


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [
        (None, 404, "project-not-found"),
        ("stranger", 404, "project-not-found"),
        ("reader", 403, "permission-missing"),
    ],
)
def test_needs_the_right_token(
    *, shop: Shop, curl: Curl, file: Path, who: str | None, status: int, code: str
) -> None:
    token = getattr(shop.tokens, who) if who else None

    answer = curl("-T", str(file), shop.upload_url("x"), token=token)

    assert answer.status == status, answer
    assert answer.is_problem(code)
    assert Artifact.objects.count() == 0
