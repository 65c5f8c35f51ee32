"""Which store, project, token and CI job are meant, and how addresses are read."""

import base64
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from client.ci.exchange import secret_of
from client.ci.platforms import AskGithub, GivenToken, Platform, missing, platform_of, source_of
from client.ci.unverified import unverified_expiry
from client.cli import spelled_out
from client.errors import SettingsMissing, WrongUsage
from client.origin import Origin
from client.places import store_folder, write_private
from client.settings import add_options, settings_of

TOKEN = "srt_" + "a" * 36


def args(*given: str) -> Namespace:
    parser = ArgumentParser()
    add_options(parser)
    return parser.parse_args(given)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://store.example", "https://store.example"),
        ("https://Store.Example:443/", "https://store.example"),
        (" http://127.0.0.1:8420/ ", "http://127.0.0.1:8420"),
        ("https://example.com/strongroom/", "https://example.com/strongroom"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_reads_a_stores_address(text: str, url: str) -> None:
    assert Origin.parse(text).url == url


@pytest.mark.parametrize(
    "text",
    [
        "store.example",
        "ftp://store.example",
        "https://",
        "https://user:secret@store.example",
        "https://store.example?x",
        "https://store.example#x",
        "https://store.example:port",
        "file:///etc/passwd",
        "",
    ],
)
def test_refuses_what_is_no_address_without_repeating_it(text: str) -> None:
    with pytest.raises(WrongUsage) as refused:
        Origin.parse(text)

    assert "secret" not in str(refused.value)


def test_knows_its_own_addresses_from_those_that_look_like_them() -> None:
    store = Origin.parse("https://store.example")

    assert store.holds("https://store.example/api")
    assert not store.holds("https://store.example.evil/api")
    assert not store.holds("https://store.example:8443/api")
    assert not store.holds("http://store.example/api")
    assert not store.holds("https://store.example@evil.example/")


def test_takes_flags_before_the_environment(tmp_path: Path) -> None:
    environ = {
        "STRONGROOM_URL": "https://one.example",
        "STRONGROOM_PROJECT": "a/b",
        "STRONGROOM_TOKEN": TOKEN,
        "HOME": str(tmp_path),
    }

    named = settings_of(args("--store", "https://two.example", "--project", "c/d"), environ)
    plain = settings_of(args(), environ)

    assert named.required_origin().url == "https://two.example"
    assert named.required_project() == ("c", "d")
    assert plain.required_origin().url == "https://one.example"
    assert plain.required_project() == ("a", "b")
    assert (plain.token, plain.is_kept) == (TOKEN, False)
    assert TOKEN not in repr(plain)


def test_never_gives_one_stores_token_to_another(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    one, two = (Origin.parse(f"https://{name}.example") for name in ("one", "two"))
    write_private(store_folder(environ, one) / "token", TOKEN)

    assert settings_of(args("--store", one.url), environ).token == TOKEN
    assert settings_of(args("--store", two.url), environ).token is None


def test_refuses_a_kept_token_that_others_can_read(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    store = Origin.parse("https://one.example")
    kept = store_folder(environ, store) / "token"
    write_private(kept, TOKEN)
    kept.chmod(0o644)

    with pytest.raises(WrongUsage):
        settings_of(args("--store", store.url), environ)


@pytest.mark.parametrize("token", ["two words", "line\nline", "", "x" * 2000, "ümlaut"])
def test_refuses_what_is_no_token_without_repeating_it(token: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(token)

    with pytest.raises(WrongUsage) as refused:
        settings_of(args("--token-file", str(file)), {"HOME": str(tmp_path)})

    assert not token or token not in str(refused.value)


@pytest.mark.parametrize("project", ["widget", "a/b/c", "/b", "a/", "/"])
def test_refuses_what_is_no_project(project: str) -> None:
    with pytest.raises(WrongUsage):
        settings_of(args("--project", project), {})


def test_says_what_is_missing() -> None:
    nothing = settings_of(args(), {})

    with pytest.raises(SettingsMissing):
        nothing.required_origin()
    with pytest.raises(SettingsMissing):
        nothing.required_project()


def test_tells_platforms_by_what_they_say_of_themselves() -> None:
    assert platform_of({"GITHUB_ACTIONS": "true", "CI": "true"}) is Platform.GITHUB
    assert platform_of({"GITLAB_CI": "true", "CI": "true"}) is Platform.GITLAB
    assert platform_of({"CI": "true"}) is Platform.OTHER
    assert platform_of({}) is None


def test_finds_where_an_identity_token_comes_from() -> None:
    github = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "y"}
    gitlab = {"STRONGROOM_ID_TOKEN": "z", "CI_JOB_TOKEN": "w"}

    assert source_of(github) == AskGithub("https://x", "y")
    assert source_of(gitlab) == GivenToken("z", "w")
    assert source_of({"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x"}) is None
    assert "y" not in repr(source_of(github)).removeprefix("AskGithub")
    assert "w" not in repr(source_of(gitlab))


def test_says_what_a_workflow_has_to_add() -> None:
    told = [missing(one, audience="https://s", reason="r").facts["add"] for one in Platform]

    assert told[0] == "permissions: id-token: write"
    assert all("https://s" in str(add) for add in told[1:])


def test_derives_a_secret_that_only_the_same_job_has_again() -> None:
    assert secret_of("token", "job") == secret_of("token", "job")
    assert len({secret_of("token", "job"), secret_of("token", "other"), secret_of("x", "job")}) == 3
    assert secret_of("token", "") != secret_of("token", "")
    assert len(secret_of("token", "")) >= 32


@pytest.mark.parametrize(
    ("claims", "expiry"),
    [({"exp": 5}, 5.0), ({"exp": 5.5}, 5.5), ({"exp": "5"}, None), ({}, None), ([], None)],
)
def test_reads_how_long_an_identity_token_lasts(claims: object, expiry: float | None) -> None:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()

    assert unverified_expiry(f"x.{body}.y") == expiry


@pytest.mark.parametrize("token", ["", "a.b", "a.!!.c", "a.é.c", "..", "a.W10.c.d"])
def test_reads_nothing_from_what_is_no_token(token: str) -> None:
    assert unverified_expiry(token) is None


def test_gives_a_bare_wait_its_value_and_leaves_files_alone() -> None:
    assert spelled_out(["push", "--wait", "a"]) == ["push", "--wait=600", "a"]
    assert spelled_out(["push", "--wait=5", "--", "--wait"]) == ["push", "--wait=5", "--", "--wait"]
