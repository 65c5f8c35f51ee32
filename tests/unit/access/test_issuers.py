"""What may be an issuer of an instance, and what never."""

from dataclasses import replace
from datetime import timedelta

import pytest

from access.domain.issuers import (
    PRESETS,
    IssuerAddress,
    NewIssuer,
    check_issuer,
    is_reachable_safely,
    preset,
)
from access.errors import IssuerNotAllowed
from provenance.domain.build_facts import Platform

OWN = "https://store.example"
GITHUB = NewIssuer("github", "https://token.actions.githubusercontent.com", Platform.GITHUB)
DEVELOPMENT = NewIssuer(
    "development", "http://127.0.0.1:8421", Platform.GITHUB, is_development=True
)


def check(issuer: NewIssuer, *, allows_development: bool = True) -> None:
    check_issuer(issuer, own_url=OWN, allows_development=allows_development)


def broken_rule(issuer: NewIssuer, *, allows_development: bool = True) -> object:
    with pytest.raises(IssuerNotAllowed) as refused:
        check(issuer, allows_development=allows_development)
    return refused.value.facts["rule"]


@pytest.mark.parametrize(
    "url",
    [
        GITHUB.url,
        "https://github.acme.example/_services/token",
        "https://git.example:8443",
        "https://[2001:db8::1]",
        "https://store.example:8443",
    ],
)
def test_accepts_an_issuer_by_its_url(url: str) -> None:
    check(replace(GITHUB, name="forge", url=url), allows_development=False)


@pytest.mark.parametrize(
    "url",
    [
        OWN,
        f"{OWN}/",
        f"{OWN}:443",
        "http://store.example",
        "http://store.example:80",
        f"{OWN}/attestors/x",
        "https://STORE.example",
        "https://store.example.",
    ],
)
def test_never_accepts_the_stores_own_url(url: str) -> None:
    assert broken_rule(replace(GITHUB, url=url)) == "own-url"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "github.com",
        "ftp://git.example",
        "file:///etc/passwd",
        "https://",
        "https://user:secret@git.example",
        "https://git.example?x=1",
        "https://git.example#x",
        "https://git.example:99999",
        "https://git.example\\@evil.example",
        "https://git.example\n",
        "https://git example",
        "https://[::1",
        "https://git.example/" + "x" * 300,
    ],
)
def test_refuses_what_is_no_issuer_url_and_does_not_repeat_it(url: str) -> None:
    assert broken_rule(replace(GITHUB, url=url)) == "url"


@pytest.mark.parametrize("name", ["", "Git", "git_hub", "git/hub", "-git", "git-", "g" * 41, "é"])
def test_refuses_a_name_that_cannot_stand_in_a_builder_id(name: str) -> None:
    assert broken_rule(replace(GITHUB, name=name)) == "name"


def test_reserves_the_name_of_the_development_issuer_both_ways() -> None:
    check(DEVELOPMENT)

    assert broken_rule(replace(GITHUB, name="development")) == "development-name"
    assert broken_rule(replace(DEVELOPMENT, name="github")) == "development-name"


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_gives_the_names_with_more_granted_to_nobody_else(name: str) -> None:
    assert broken_rule(replace(GITHUB, name=name, url="https://git.example")) == "reserved-name"
    check(GITHUB)
    check(replace(GITHUB, name="gitlab", url="https://gitlab.com", platform=Platform.GITLAB))
    check(replace(GITHUB, name="forge", url="https://git.example"))


def test_refuses_the_development_issuer_in_production() -> None:
    assert broken_rule(DEVELOPMENT, allows_development=False) == "development"


@pytest.mark.parametrize(
    ("url", "is_development", "is_safe"),
    [
        ("https://git.example", False, True),
        ("https://git.example", True, True),
        ("http://git.example", False, False),
        ("http://git.example", True, False),
        ("http://127.0.0.1:1", False, False),
        ("http://127.0.0.1:1", True, True),
        ("http://127.9.9.9", True, True),
        ("http://[::1]:1", True, True),
        ("http://localhost:1", True, True),
        ("http://localhost.evil.example", True, False),
        ("http://127.0.0.1.evil.example", True, False),
        ("http://0.0.0.0", True, False),
    ],
)
def test_fetches_keys_without_tls_only_on_loopback_for_development(
    url: str,
    is_development: bool,  # noqa: FBT001 - a table's column
    is_safe: bool,  # noqa: FBT001 - a table's column
) -> None:
    assert is_reachable_safely(IssuerAddress(url, is_development)) is is_safe


def test_refuses_to_add_an_issuer_that_is_reached_without_tls() -> None:
    assert broken_rule(replace(GITHUB, name="forge", url="http://git.example")) == "scheme"
    assert broken_rule(replace(DEVELOPMENT, url="http://git.example")) == "scheme"


@pytest.mark.parametrize("name", PRESETS)
def test_offers_presets_that_every_rule_accepts(name: str) -> None:
    made = preset(name)

    check(made, allows_development=False)
    other = Platform.GENERIC
    assert broken_rule(replace(made, platform=other)) == "reserved-name"
    assert broken_rule(replace(made, algorithms=("RS256", "HS256"))) == "algorithms"
    assert broken_rule(replace(made, algorithms=())) == "algorithms"
    assert broken_rule(replace(made, longest_life=timedelta(seconds=59))) == "longest-life"
    assert broken_rule(replace(made, longest_life=timedelta(days=1, seconds=1))) == "longest-life"
