"""Which platforms are asked is said completely and safely, or the process does not start."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.settings.confirmations import ConfirmationApi, NotUsable, read_confirmations
from config.settings.env import read
from tests.unit.config.test_env import COMPLETE


def test_reads_the_presets_and_an_instance_of_ones_own() -> None:
    setting = {
        "github": {"token_file": "/run/secrets/github"},
        "gitlab": {},
        "acme": {"api": "https://git.acme.test:8443/api/v4", "allows_private_addresses": True},
    }

    found = read({**COMPLETE, "STRONGROOM_CONFIRMATIONS": json.dumps(setting)}).confirmations

    secret = Path("/run/secrets/github")
    assert found == {
        "github": ConfirmationApi("https://api.github.com", secret, allows_private_addresses=False),
        "gitlab": ConfirmationApi(
            "https://gitlab.com/api/v4", None, allows_private_addresses=False
        ),
        "acme": ConfirmationApi(
            "https://git.acme.test:8443/api/v4", None, allows_private_addresses=True
        ),
    }


def test_asks_nobody_unless_told_to() -> None:
    environment = read(COMPLETE)

    assert environment.confirmations == {}
    assert environment.confirmation_wait_seconds == 300


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("development", {"api": "https://git.acme.test"}),
        ("Acme", {"api": "https://git.acme.test"}),
        ("acme", {}),
        ("acme", []),
        ("acme", {"api": "http://git.acme.test"}),
        ("acme", {"api": "http://127.0.0.1:8080"}),
        ("acme", {"api": "https://git.acme.test/"}),
        ("acme", {"api": "https://git.acme.test/api?x=1"}),
        ("acme", {"api": "https://user:secret@git.acme.test"}),
        ("acme", {"api": "https://[git.acme.test"}),
        ("acme", {"api": "git.acme.test"}),
        ("acme", {"api": "https://git.acme.test", "token": "secret"}),
        ("acme", {"api": "https://git.acme.test", "token_file": "secret"}),
        ("acme", {"api": "https://git.acme.test", "token_file": 5}),
        ("acme", {"api": "https://git.acme.test", "allows_private_addresses": "yes"}),
        ("github", {"api": "https://api.github.example"}),
        ("gitlab", {"api": "https://git.acme.test/api/v4"}),
    ],
)
def test_refuses_what_it_cannot_ask_safely(name: str, members: Any) -> None:
    setting = json.dumps({name: members})

    with pytest.raises(SystemExit, match="STRONGROOM_CONFIRMATIONS cannot be used") as stopped:
        read({**COMPLETE, "STRONGROOM_CONFIRMATIONS": setting})
    assert "user:secret" not in str(stopped.value)


@pytest.mark.parametrize("setting", ["github", "[]", "{"])
def test_refuses_what_is_no_object(setting: str) -> None:
    with pytest.raises(NotUsable):
        read_confirmations(setting, is_development=False)


def test_asks_over_plain_http_on_this_machine_in_development_alone() -> None:
    setting = json.dumps({"github": {"api": "http://127.0.0.1:8080"}})

    assert read_confirmations(setting, is_development=True)["github"].url == "http://127.0.0.1:8080"
    with pytest.raises(NotUsable):
        read_confirmations(setting, is_development=False)
