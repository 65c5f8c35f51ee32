"""`manage.py check --deploy`: clean for production, loud about what is only fit for development."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import PRODUCTION

ROOT = Path(__file__).resolve().parent.parent.parent.parent


def check(**changes: str | None) -> tuple[int, str]:
    environment = {**PRODUCTION, **changes, "PATH": os.environ["PATH"]}
    finished = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level=WARNING"],
        cwd=ROOT,
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.returncode, finished.stderr + finished.stdout


def test_is_clean_for_production() -> None:
    status, text = check()

    assert status == 0, text
    assert "no issues (1 silenced)" in text


def test_is_loud_about_the_embedded_signer_until_that_is_accepted() -> None:
    status, text = check(STRONGROOM_SILENCED_CHECKS=None)

    assert status == 1
    assert "strongroom.W002" in text
    assert "not independent transparency" in text


def test_is_loud_about_everything_that_is_only_fit_for_development() -> None:
    status, text = check(
        STRONGROOM_PROFILE="embedded",
        STRONGROOM_PUBLIC_URL="http://127.0.0.1:8420",
        STRONGROOM_METRICS_TOKEN=None,
        STRONGROOM_ATTESTOR_IS_ISOLATED=None,
    )

    assert status == 1
    for code in ("E001", "E002", "E003", "W001"):
        assert f"strongroom.{code}" in text


def test_is_loud_when_the_web_server_has_the_attestors_key() -> None:
    status, text = check(STRONGROOM_ATTESTOR_KEY_FILE="/etc/strongroom/attestor-key")

    assert status == 1
    assert "strongroom.E004" in text


def test_is_loud_when_the_web_server_answers_for_the_attestors_issuer() -> None:
    status, text = check(STRONGROOM_SIGNER="sigstore", STRONGROOM_SILENCED_CHECKS=None)

    assert status == 1
    assert "strongroom.W003" in text
    assert "strongroom.W002" not in text


def test_is_loud_about_a_key_in_a_file_and_one_without_timestamps() -> None:
    managed = {"STRONGROOM_SIGNER": "key", "STRONGROOM_SILENCED_CHECKS": None}

    in_file, in_file_text = check(**managed, STRONGROOM_KEY_URI="file:/etc/key.pem")
    _, in_vault_text = check(
        **managed,
        STRONGROOM_KEY_URI="vault:transit/attestor/1",
        STRONGROOM_KEY_TIMESTAMPS="https://tsa.example.com",
    )
    web, web_text = check(**managed)

    assert in_file == 1
    for code in ("E004", "W004", "W005"):
        assert f"strongroom.{code}" in in_file_text
    assert "strongroom.E004" in in_vault_text
    assert "strongroom.W00" not in in_vault_text
    assert web == 0, web_text


def test_is_content_when_something_else_answers_for_the_attestors_issuer() -> None:
    status, text = check(
        STRONGROOM_SIGNER="sigstore",
        STRONGROOM_SIGSTORE_ISSUER_IS_ISOLATED="true",
        STRONGROOM_SILENCED_CHECKS=None,
    )

    assert status == 0, text


@pytest.mark.parametrize(("secret", "status"), [("a secret", 0), ("", 1), (None, 1)])
def test_wants_a_secret_to_log_in_with_where_a_provider_is_named(
    tmp_path: Path, secret: str | None, status: int
) -> None:
    file = tmp_path / "client-secret"
    if secret is not None:
        file.write_text(secret)

    found, text = check(
        STRONGROOM_LOGIN_OIDC_ISSUER="https://login.example.com",
        STRONGROOM_LOGIN_OIDC_CLIENT_ID="strongroom",
        STRONGROOM_LOGIN_OIDC_CLIENT_SECRET_FILE=str(file),
    )

    assert found == status, text
    assert ("strongroom.E005" in text) == (status == 1)
